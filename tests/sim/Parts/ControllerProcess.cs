using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Engine;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Sim.Parts;

/// <summary>One replica of the controller.</summary>
internal sealed class ControllerProcess(Cluster cluster, int index) : ProductProcess(cluster, $"controller-{index}")
{
    protected override async Task Run(Host host, HostClock clock, HostLog log, CancellationToken stop)
    {
        var lease = new LeaderElectionOptions("kruise-image-system", "kruise-image-controller", Name);
        var settings = new ControllerSettings(null!, "", Name, lease, SecretCopy.DefaultNamespace, LogLevel.Debug);
        using var controller = new Controller(settings, Cluster.ClientOf(host), log, clock, Cluster.NewRandom());
        await controller.Run(stop);
    }
}
