using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace KruiseImage.Reconcile.Kube;

/// <summary>A credential plugin as it is to be run.</summary>
/// <param name="File">A name to be found in PATH, or a path.</param>
public sealed record PluginCommand(string File)
{
    public IReadOnlyList<string> Arguments { get; init; } = [];
    /// <summary>Added to our own variables; of two with one name the last counts.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];
    /// <summary>What it reads from its stdin. Null: our own stdin, so that it can ask a person.</summary>
    public string? Input { get; init; } = "";
    /// <summary>What it says on stderr goes nowhere (it may hold secrets), else to our stderr.</summary>
    public bool HidesErrors { get; init; }
}

/// <summary>What became of a run: what it printed, or what went wrong, to follow the plugin's name in a sentence.</summary>
public sealed record PluginRun(string Output, string? Problem)
{
    /// <summary>Null when the program was started; else why not.</summary>
    public string? NotStarted { get; init; }

    /// <summary>The output holds secrets.</summary>
    public override string ToString() => Problem ?? "done";
}

/// <summary>
/// Runs a credential plugin once, for kubeconfigs and for registries alike. Its output is bounded and never quoted; on cancellation
/// and when it prints too much, it is killed with all processes that it started.
/// </summary>
public static class PluginProcess
{
    private const int MostOutputMebibytes = 1;

    /// <exception cref="OperationCanceledException">The plugin is killed by then.</exception>
    public static async Task<PluginRun> Run(PluginCommand command, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var process = new Process { StartInfo = StartInfo(command) };
        try
        {
            process.Start();
        }
        catch (Win32Exception missing)
        {
            var reason = missing.Message.Split(". ")[^1];
            return new PluginRun("", $"cannot be run ({reason})") { NotStarted = reason };
        }

        using var stdout = process.StandardOutput; // streams once asked for are not the process's to close
        using var stderr = command.HidesErrors ? process.StandardError : null;
        var errors = stderr is null ? Task.CompletedTask : Discard(stderr.BaseStream, ended.Token);
        try
        {
            if (command.Input is { } input) await Feed(process.StandardInput, input, cancellationToken).ConfigureAwait(false);
            if (await ReadAll(stdout.BaseStream, cancellationToken).ConfigureAwait(false) is not { } output)
                return new PluginRun("", $"printed more than {MostOutputMebibytes} MiB");
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0 ? new PluginRun(output, null) : new PluginRun("", $"failed with exit code {process.ExitCode}");
        }
        catch (IOException)
        {
            return new PluginRun("", "broke off its output");
        }
        finally
        {
            if (!process.HasExited) Kill(process);
            await ended.CancelAsync().ConfigureAwait(false);
            await errors.ConfigureAwait(false);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception failure) when (failure is Win32Exception or AggregateException or InvalidOperationException)
        {
            return; // it ended by itself, or became another user's: there is nothing more that we can do
        }
    }

    private static ProcessStartInfo StartInfo(PluginCommand command)
    {
        var start = new ProcessStartInfo(command.File)
        {
            UseShellExecute = false,
            RedirectStandardInput = command.Input is not null,
            RedirectStandardOutput = true,
            RedirectStandardError = command.HidesErrors,
        };
        foreach (var argument in command.Arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in command.Environment) start.Environment[name] = value;
        return start;
    }

    private static async Task Feed(StreamWriter stdin, string input, CancellationToken cancellationToken)
    {
        try
        {
            await stdin.WriteAsync(input.AsMemory(), cancellationToken).ConfigureAwait(false);
            stdin.Close();
        }
        catch (IOException)
        {
            return; // it does not read, and need not
        }
    }

    /// <returns>Null when it is too much.</returns>
    private static async Task<string?> ReadAll(Stream stdout, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (await stdout.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            length += read;
            if (length > MostOutputMebibytes << 20) return null;
            if (length == buffer.Length) Array.Resize(ref buffer, 2 * length);
        }
        return Encoding.UTF8.GetString(buffer.AsSpan(0, length));
    }

    /// <summary>A plugin whose stderr nobody reads would wait for ever once it said enough.</summary>
    private static async Task Discard(Stream stderr, CancellationToken cancellationToken)
    {
        try
        {
            await stderr.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return; // the plugin ended; what it left behind may hold the pipe open
        }
    }
}
