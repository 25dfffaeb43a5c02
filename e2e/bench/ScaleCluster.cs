using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>A Node that was made, and its uid.</summary>
public sealed record MadeNode(int Number, string Name, string Uid);

/// <summary>
/// A real API server and etcd with the product installed by itself, many Nodes, and hollow daemons. The controllers that are measured are
/// started and ended by the workloads. Nothing of it outlives the sandbox.
/// </summary>
public sealed class ScaleCluster : IAsyncDisposable
{
    private readonly List<MadeNode> nodes = [];
    private readonly BenchOptions options;

    /// <summary>Null: the hollow ones answer.</summary>
    private ProductDaemons? whole;

    private ScaleCluster(string directory, BenchOptions options)
    {
        this.options = options;
        LogDirectory = Directory.CreateDirectory(Path.Combine(directory, "logs")).FullName;
        ControlPlane = new ControlPlane(Directory.CreateDirectory(Path.Combine(directory, "scale")).FullName, LogDirectory, new UsedSecrets(), isMeasured: true);
        Admin = new RawApi(ControlPlane.ConnectAsAdministrator(), Own);
        Daemons = new HollowDaemons(new RawApi(ControlPlane.ConnectAsDaemon(), Own), options.Connections);
    }

    public ControlPlane ControlPlane { get; }

    public OwnRequests Own { get; } = new();

    public RawApi Admin { get; }

    public HollowDaemons Daemons { get; }

    public string LogDirectory { get; }

    public IReadOnlyList<MadeNode> Nodes => nodes;

    public static async Task<ScaleCluster> StartAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        var directory = Environment.GetEnvironmentVariable("BED_DIR") ?? throw new BedException("BED_DIR is not set. Start this through e2e/sandbox.sh, which ends what it starts.");
        var cluster = new ScaleCluster(directory, options);
        try
        {
            await cluster.ControlPlane.StartAsync(cancellationToken);
            // Admission policies are not known to this server; nobody runs its Deployment and its DaemonSet.
            (await CommandResult.RunAsync(Parts.Product, ["ctl", "install", "--image", "bench", "--set", "policies.enabled=false", "--kubeconfig", cluster.ControlPlane.AdminKubeconfig],
                new Dictionary<string, string> { ["HOME"] = directory }, null, cancellationToken)).Succeeded();
            await Eventually.TrueAsync("the API server serves the CRDs", TimeSpan.FromSeconds(30), async token =>
                await cluster.ControlPlane.Api.GetAsync(RawApi.NodeImages, token) is not null, cancellationToken);
            if (options.HasProductDaemons)
                cluster.whole = new ProductDaemons(cluster.Daemons, cluster.ControlPlane.DaemonKubeconfig);
            await cluster.Daemons.StartAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>CPU time that API server and etcd have used up to now.</summary>
    public double ServerCpuSeconds() => ProcessTimes.CpuSeconds(ControlPlane.ApiServer.Pid) + ProcessTimes.CpuSeconds(ControlPlane.Etcd.Pid);

    /// <summary>A new client with cold connections and the controller's rights: a floor begins as a controller does.</summary>
    public RawApi ConnectAsController() => new(ControlPlane.ConnectAsController(), Own);

    /// <summary>Makes Nodes until there are so many.</summary>
    public async Task GrowAsync(int count, CancellationToken cancellationToken)
    {
        await EachAsync(Enumerable.Range(nodes.Count, Math.Max(0, count - nodes.Count)), async (number, token) =>
        {
            var made = JsonNode.Parse(await Admin.CreateAsync("/api/v1/nodes", NodeFactory.Node(number), token))!;
            lock (nodes)
                nodes.Add(new(number, NodeFactory.NameOf(number), made["metadata"]!.Text("uid")));
        }, cancellationToken);
    }

    /// <summary>Takes all NodeImages away and throws away the history, so that a run begins as the one before did.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken)
    {
        await EachAsync(Daemons.Known.Keys.ToList(), (name, token) => Admin.DeleteAsync($"{RawApi.NodeImages}/{name}", token), cancellationToken);
        await Eventually.TrueAsync("the NodeImages are gone", Workload.Patience, _ => Task.FromResult(Daemons.Known.Count == 0), cancellationToken);
        await ControlPlane.CompactAsync(cancellationToken);
    }

    /// <summary>Fresh NodeImages for all Nodes, as a controller would have made them.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await ClearAsync(cancellationToken);
        await CreateNodeImagesAsync(Admin, cancellationToken);
        await ControlPlane.CompactAsync(cancellationToken);
    }

    /// <returns>When the watch showed the last.</returns>
    public async Task<long> CreateNodeImagesAsync(RawApi api, CancellationToken cancellationToken)
    {
        using var all = new Sighting(Daemons, nodes.Count, static seen => seen.Type == "ADDED");
        await EachAsync(nodes, (node, token) =>
            api.CreateAsync(RawApi.NodeImages, NodeImageBodies.Utf8(NodeImageBodies.Create(node.Name, node.Uid, NodeFactory.Labels(node.Number))), token), cancellationToken);
        await all.ReachedAsync("the NodeImages are there", Workload.Patience, cancellationToken);
        return all.Last;
    }

    public Task EachAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, Task> action, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = options.Connections, CancellationToken = cancellationToken }, async (item, token) => await action(item, token));

    public async ValueTask DisposeAsync()
    {
        await Daemons.DisposeAsync();
        if (whole is not null)
            await whole.DisposeAsync();
        Admin.Dispose();
        ControlPlane.Dispose();
    }
}
