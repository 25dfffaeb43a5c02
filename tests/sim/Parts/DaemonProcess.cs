using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Modes;
using KruiseImage.Sim.Engine;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Sim.Parts;

/// <summary>The daemon of one machine.</summary>
internal sealed class DaemonProcess(Cluster cluster, SimNode node) : ProductProcess(cluster, $"daemon-{node.Name}")
{
    public static readonly PullLimits Limits = new();

    protected override async Task Run(Host host, HostClock clock, HostLog log, CancellationToken stop)
    {
        var settings = new DaemonSettings(null!, node.Name, [], Limits with { JitterSeed = node.Name }, [], SecretCopy.DefaultNamespace, "", LogLevel.Debug);
        var runtime = new SimRuntime(node, host, Cluster.Registry, Cluster.Trace, Cluster.Schedule);
        using var memory = new IdleMemory(clock, () => { });
        var daemon = new Daemon(settings, Cluster.ClientOf(host), runtime, Cluster.Metrics, memory, log, clock, Cluster.NewRandom());
        await daemon.Run(stop);
    }

    protected override void OnEnd() => node.Disconnect();
}
