using KruiseImage.Crds;
using KruiseImage.Modes;

namespace KruiseImage;

/// <summary>
/// Chooses the mode, runs it, maps the result to an exit code. The one broad catch of the process is here: an operating error
/// ends as one sentence, a bug says that it is one.
/// </summary>
public static class Program
{
    /// <summary>Set to anything, it adds the stack trace to what a bug of ctl prints.</summary>
    public const string DebugVariable = "KRUISE_IMAGE_DEBUG";

    public static async Task<int> Main(string[] args)
    {
        if (args is ["--version"])
        {
            // Before anything is built: probes and scripts ask this often.
            await Console.Out.WriteLineAsync(ProductVersion.Text).ConfigureAwait(false);
            return ExitCode.Done;
        }

        using var shutdown = new ShutdownSignal();
        try
        {
            var line = CommandLine.AsInvoked(Environment.GetCommandLineArgs()[0], args);
            return await CommandLine.Run(line, Console.Out, Console.Error, shutdown.Token).ConfigureAwait(false);
        }
        catch (CommandException failure)
        {
            await Console.Error.WriteLineAsync(Harmless.Lines($"error: {failure.Message}")).ConfigureAwait(false);
            return failure.ExitCode;
        }
        catch (OperationCanceledException) when (shutdown.Token.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
#pragma warning disable CA1031 // the top of the process: nothing may leave as a raw stack trace
        catch (Exception bug)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync(Harmless.Lines(BugReport(bug, args is ["controller" or "daemon", ..]))).ConfigureAwait(false);
            return ExitCode.Failed;
        }
    }

    /// <param name="isServing">A bug of the controller or a daemon may not come again for whoever reads the log: all is said at once.</param>
    private static string BugReport(Exception bug, bool isServing) => isServing || Environment.GetEnvironmentVariable(DebugVariable) is not null
        ? $"error: this is a bug in {ProductVersion.Text}: {bug}"
        : $"error: {bug.Message} (this is a bug in {ProductVersion.Text}; set {DebugVariable}=1 to see where)";
}
