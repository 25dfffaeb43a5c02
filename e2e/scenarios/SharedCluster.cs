using KruiseImage.Bed;
using KruiseImage.Scenarios;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(SharedCluster))]
// One after the other: half of the scenarios kill something that the others need.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace KruiseImage.Scenarios;

/// <summary>
/// The one cluster that all scenarios run on, one node for each version of containerd that we support. <c>CLUSTER=kind</c> chooses the
/// other kind of cluster.
/// </summary>
public sealed class SharedCluster : IAsyncLifetime
{
    private static readonly ClusterOptions options = new(Controllers: 2, Faults: true)
    {
        Containerd = ["1.6", "1.7", "2.1"],
        PrivateRegistries = true,
    };

    private Cluster? cluster;

    public Cluster Cluster => cluster ?? throw new InvalidOperationException("the cluster is not up yet");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        cluster = Environment.GetEnvironmentVariable("CLUSTER") == "kind"
            ? await KindCluster.StartAsync(DemoImages.PushAsync, cancellation)
            : await LocalCluster.StartAsync(options, DemoImages.PushAsync, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
            await cluster.DisposeAsync();
    }
}
