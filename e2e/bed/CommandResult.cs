using System.Diagnostics;

namespace KruiseImage.Bed;

/// <summary>What a command that ends by itself printed and answered.</summary>
public sealed record CommandResult(string Command, int ExitCode, string Output, string Error)
{
    public string Succeeded() => ExitCode == 0 ? Output : throw new BedException($"{Command}: exit code {ExitCode}\n{Error}{Output}".TrimEnd());

    public static async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment,
        string? input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        using var process = Process.Start(start) ?? throw new BedException($"{program} could not be started");
        try
        {
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return new($"{Path.GetFileName(program)} {string.Join(' ', start.ArgumentList)}", process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    /// <summary>Runs a command that writes to our own output, and returns its exit code.</summary>
    public static async Task<int> RunInteractiveAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment,
        CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        using var process = Process.Start(start) ?? throw new BedException($"{program} could not be started");
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode;
    }
}
