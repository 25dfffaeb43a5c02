using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>
/// One thing to measure on a cluster of a number of Nodes. It begins with Nodes, maybe NodeImages, and no controller; and ends without a
/// controller and without jobs.
/// </summary>
public abstract class Workload(ScaleCluster cluster, BenchOptions options)
{
    /// <summary>Nothing here takes so long, but on a machine that does something else.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const string Jobs = "/apis/apps.kruise.io/v1beta1/namespaces/default/imagepulljobs";

    protected ScaleCluster Cluster { get; } = cluster;

    protected BenchOptions Options { get; } = options;

    protected int NodeCount => Cluster.Nodes.Count;

    public abstract Task<Row> RunAsync(CancellationToken cancellationToken);

    protected ControllerUnderTest NewController(string name = "bench-1") => new(Cluster, Options.Controller, name);

    protected static string ImageOf(string job) => $"registry.example.com/{job}";

    /// <summary>Creates a job over all nodes, or those of the selector, that pulls <see cref="ImageOf"/>.</summary>
    protected Task<byte[]> CreateJobAsync(string name, int parallelism, CancellationToken cancellationToken, JsonNode? selector = null)
    {
        var job = new JsonObject
        {
            ["apiVersion"] = "apps.kruise.io/v1beta1",
            ["kind"] = "ImagePullJob",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["image"] = ImageOf(name) + ":1", ["parallelism"] = parallelism },
        };
        if (selector is not null)
            job["spec"]!["selector"] = selector;
        return Cluster.Admin.CreateAsync(Jobs, NodeImageBodies.Utf8(job), cancellationToken);
    }

    protected async Task<JsonNode?> JobStatusAsync(string name, CancellationToken cancellationToken) => (await Cluster.Admin.GetAsync($"{Jobs}/{name}", cancellationToken))?["status"];

    protected Task JobCompletedAsync(string name, CancellationToken cancellationToken) =>
        Eventually.TrueAsync($"the job {name} has completed", Patience, async token => (await JobStatusAsync(name, token))?["completionTime"] is not null, cancellationToken);

    /// <summary>Takes all jobs away while no controller runs, which would let go of them.</summary>
    private async Task DeleteJobsAsync(CancellationToken cancellationToken)
    {
        var names = (await Cluster.Admin.ListAsync(Jobs, cancellationToken))["items"]!.AsArray().Select(job => job!["metadata"]!.Text("name")).ToList();
        await Cluster.EachAsync(names, async (name, token) =>
        {
            await Cluster.Admin.MergePatchAsync($"{Jobs}/{name}", """{"metadata":{"finalizers":null}}"""u8.ToArray(), token);
            await Cluster.Admin.DeleteAsync($"{Jobs}/{name}", token);
        }, cancellationToken);
    }

    /// <summary>Ends the controller and takes the jobs away; nobody is left who would follow up.</summary>
    protected async Task EndAsync(ControllerUnderTest controller, CancellationToken cancellationToken)
    {
        await controller.Server.KillAsync(cancellationToken);
        await LeaseGate.RemoveAsync(Cluster.Admin, cancellationToken);
        await DeleteJobsAsync(cancellationToken);
    }

    /// <summary>Null when the floor was too little work to be measured.</summary>
    protected static double? WorkOver(Floors.Floor floor, Cost cost) => floor.ServerSeconds > 0 ? (cost.CpuSeconds + cost.ServerSeconds) / floor.ServerSeconds : null;

    protected static string Several(IEnumerable<double> seconds) => string.Join(' ', seconds.Select(time => FormattableString.Invariant($"{time:0.00}"))) + " s";

    protected static double Seconds(long from, long to) => TimeProvider.System.GetElapsedTime(from, to).TotalSeconds;

    protected static long Now => TimeProvider.System.GetTimestamp();

    /// <summary>Of several runs the one in the middle, by its time.</summary>
    protected static T Middle<T>(IEnumerable<T> runs, Func<T, double> seconds)
    {
        T[] sorted = [.. runs.OrderBy(seconds)];
        return sorted[sorted.Length / 2];
    }
}
