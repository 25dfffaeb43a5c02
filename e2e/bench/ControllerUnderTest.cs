using System.Globalization;
using System.Text.RegularExpressions;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>
/// The controller that is measured: ours, or whatever the command line names. Its costs are read from outside, from /proc and from its
/// sockets, so that any program is measured by the same means; only allocations need it to tell.
/// </summary>
public sealed partial class ControllerUnderTest : IDisposable
{
    private static readonly TimeSpan settling = TimeSpan.FromSeconds(1);

    private readonly Component? ours;
    private readonly ServerProcess server;

    public ControllerUnderTest(ScaleCluster cluster, string? commandLine, string name = "bench-1")
    {
        Name = name;
        if (commandLine is null)
            ours = new Component(name, cluster.LogDirectory, "controller", "--kubeconfig", cluster.ControlPlane.ControllerKubeconfig, "--identity", name);
        server = ours?.Server ?? new ServerProcess(name, cluster.LogDirectory, "/bin/sh", "-c", "exec " + commandLine!
            .Replace("{kubeconfig}", cluster.ControlPlane.ControllerKubeconfig, StringComparison.Ordinal)
            .Replace("{admin-kubeconfig}", cluster.ControlPlane.AdminKubeconfig, StringComparison.Ordinal));
    }

    public string Name { get; }

    /// <summary>Whether it takes part in our election and tells its metrics.</summary>
    public bool IsOurs => ours is not null;

    public ServerProcess Server => server;

    /// <summary>Returns when it is ready: ours says so.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (ours is not null)
            await ours.StartAsync(cancellationToken);
        else
            server.Start();
    }

    public async Task StartSettledAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        await SettledAsync(cancellationToken);
    }

    /// <summary>Ours leads; and in one second it used next to nothing.</summary>
    public async Task SettledAsync(CancellationToken cancellationToken) =>
        await Eventually.TrueAsync($"{Name} has nothing to do", TimeSpan.FromMinutes(5), async token =>
        {
            if (ours is not null && await ours.MetricAsync("kruise_image_leader", token) != 1)
                return false;
            var before = CpuSeconds();
            await Task.Delay(settling, token);
            return CpuSeconds() - before <= 0.03;
        }, cancellationToken);

    public Task<bool> IsReadyAsync(CancellationToken cancellationToken) => ours?.IsReadyAsync(cancellationToken) ?? Task.FromResult(server.IsRunning);

    /// <summary>Null when it does not tell.</summary>
    public async Task<double?> MetricAsync(string name, CancellationToken cancellationToken) => ours is null ? null : await ours.MetricAsync(name, cancellationToken);

    public double CpuSeconds() => ProcessTimes.CpuSeconds(server.Pid);

    /// <summary>Where our controller's time goes, in sums and counts since its start; null when it is another's.</summary>
    public async Task<LoopTimes?> LoopTimesAsync(CancellationToken cancellationToken) => ours is null ? null : LoopTimes.Read(await ours.MetricsAsync(cancellationToken));

    /// <summary>The largest resident memory from here on is that of <see cref="PeakMegabytes"/>.</summary>
    public void ResetPeak() => File.WriteAllText($"/proc/{server.Pid}/clear_refs", "5");

    public double PeakMegabytes()
    {
        var line = File.ReadLines($"/proc/{server.Pid}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line.AsSpan(6).Trim(" \tkB"), CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>
    /// What went over each of its connections that are open now, both ways and TLS included, by their ports. The kernel keeps count; of a
    /// connection that was closed it forgets.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, long>> ConnectionBytesAsync(CancellationToken cancellationToken)
    {
        var all = (await CommandResult.RunAsync("ss", ["-Htinp", "state", "established"], new Dictionary<string, string>(), null, cancellationToken)).Succeeded();
        var mine = $"pid={server.Pid},";
        var bytes = new Dictionary<string, long>();
        foreach (Match socket in Socket().Matches(all))
            if (socket.Groups["who"].Value.Contains(mine, StringComparison.Ordinal))
                bytes[socket.Groups["ports"].Value] = Number(Acked().Match(socket.Groups["info"].Value)) + Number(Received().Match(socket.Groups["info"].Value));
        return bytes;

        static long Number(Match match) => match.Success ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    public void Dispose()
    {
        if (ours is not null)
            ours.Dispose(); // the server with it
        else
            server.Dispose();
    }

    [GeneratedRegex(@"^\d+\s+\d+\s+(?<ports>\S+\s+\S+)\s+(?<who>users:\S+)?\s*\n\s+(?<info>.*)$", RegexOptions.Multiline)]
    private static partial Regex Socket();

    [GeneratedRegex(@"\bbytes_acked:(\d+)")]
    private static partial Regex Acked();

    [GeneratedRegex(@"\bbytes_received:(\d+)")]
    private static partial Regex Received();
}
