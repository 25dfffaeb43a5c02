using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KruiseImage.Bed;

/// <summary>
/// One server of the bed: started with an environment of its own (proxy variables must not leak into it), its output in a log file,
/// killed and started again by the scenarios. What is forgotten here ends with the sandbox.
/// </summary>
public sealed partial class ServerProcess(string name, string logDirectory, string program, params string[] arguments) : IDisposable
{
    private const int SigTerm = 15, SigKill = 9, SigStop = 19, SigContinue = 18;
    private static readonly TimeSpan restartDelay = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Process? process;
    private bool isEndWanted;

    public string Name { get; } = name;

    public string LogFile { get; } = Path.Combine(logDirectory, name + ".log");

    public int Pid => Running.Id;

    public bool IsRunning => process is { HasExited: false };

    /// <summary>Starts the server again when it ends by itself, as a kubelet does: a controller that lost its lease ends on purpose.</summary>
    public bool RestartsByItself { get; init; }

    private Process Running => process ?? throw new InvalidOperationException($"{Name} was not started");

    public void Start()
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        foreach (var argument in (string[])["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", LogFile, program, .. arguments])
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = Path.GetDirectoryName(LogFile)!; // kubectl's and containerd's own caches stay in the bed
        lock (gate)
        {
            process?.Dispose();
            isEndWanted = false;
            var started = process = new Process { StartInfo = start, EnableRaisingEvents = RestartsByItself };
            started.Exited += (_, _) => _ = RestartAsync(started);
            started.Start();
        }
    }

    /// <summary>Waits until the server answers; a server that ends meanwhile is reported with the last lines of its log.</summary>
    public async Task ReadyAsync(TimeSpan deadline, Func<CancellationToken, Task<bool>> probe, CancellationToken cancellationToken)
    {
        try
        {
            await Eventually.TrueAsync($"{Name} answers", deadline, async token =>
                Running.HasExited ? throw new BedException($"{Name} ended with code {Running.ExitCode}:\n{LogTail()}") : await probe(token),
                cancellationToken);
        }
        catch (TimeoutException timeout)
        {
            throw new BedException($"{timeout.Message}\n{LogTail()}");
        }
    }

    public Task KillAsync(CancellationToken cancellationToken) => EndAsync(SigKill, cancellationToken);

    /// <summary>Asks the server to end and returns its exit code.</summary>
    public async Task<int> TerminateAsync(CancellationToken cancellationToken)
    {
        await EndAsync(SigTerm, cancellationToken);
        return Running.ExitCode;
    }

    /// <summary>Freezes the server: it holds its connections and answers nothing.</summary>
    public void Freeze() => Signal(SigStop);

    public void Thaw() => Signal(SigContinue);

    /// <summary>Gives it turns of this length and pauses between them until cancelled: a server that is up, and slow.</summary>
    public async Task SlowAsync(TimeSpan turn, TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                Freeze();
                await Task.Delay(pause, CancellationToken.None);
                Thaw();
                await Task.Delay(turn, CancellationToken.None);
            }
        }
        finally
        {
            Thaw();
        }
    }

    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(6).Trim(" \tkB"), System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }

    public string LogTail(int lines = 15) => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(lines)) : "(no log)";

    public void Dispose()
    {
        lock (gate)
            isEndWanted = true;
        if (process is { HasExited: false })
            Signal(SigKill);
        process?.Dispose();
    }

    /// <summary>Unless a scenario ended it, or has started another in its place meanwhile.</summary>
    private async Task RestartAsync(Process ended)
    {
        await Task.Delay(restartDelay);
        lock (gate)
            if (!isEndWanted && ReferenceEquals(process, ended))
                Start();
    }

    private async Task EndAsync(int signal, CancellationToken cancellationToken)
    {
        lock (gate)
            isEndWanted = true;
        Signal(signal);
        await Running.WaitForExitAsync(cancellationToken);
    }

    private void Signal(int signal)
    {
        if (Kill(Pid, signal) != 0 && !Running.HasExited)
            throw new BedException($"{Name}: signal {signal} failed with error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
