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
        DaemonArguments = ["--stall-timeout", "20"],
        LogLevel = "Debug", // what is not even in there is in no log
    };

    private Cluster? cluster;

    public Cluster Cluster => cluster ?? throw new InvalidOperationException("the cluster is not up yet");

    /// <summary>What <see cref="LastScenarios"/> looks back on.</summary>
    internal HashSet<string> Begun { get; } = [];

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        cluster = Environment.GetEnvironmentVariable("CLUSTER") switch
        {
            "kind" => await KindCluster.StartAsync(DemoImages.PushAsync, cancellation),
            "external" => await ExternalCluster.StartAsync(cancellation), // for the conformance files alone
            _ => await LocalCluster.StartAsync(options, DemoImages.PushAsync, cancellation),
        };
    }

    /// <summary>Fails the run when a password of any scenario is to be read anywhere.</summary>
    public async ValueTask DisposeAsync()
    {
        if (cluster is null)
            return;
        try
        {
            if (cluster is LocalCluster local)
                Assert.Empty(ProductOutput.Leaks(local.Secrets, await ProductOutput.ReadAsync(local, CancellationToken.None)));
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }
}
