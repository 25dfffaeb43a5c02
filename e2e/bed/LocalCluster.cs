namespace KruiseImage.Bed;

/// <summary>What a cluster is made of.</summary>
/// <param name="Nodes">Nodes with a containerd each.</param>
/// <param name="Controllers">Replicas of the controller.</param>
/// <param name="Faults">Nodes reach the registry through the <see cref="RegistryProxy"/>.</param>
/// <param name="Bare">No controller and no daemons: for the developer who runs them by hand.</param>
public sealed record ClusterOptions(int Nodes = 3, int Controllers = 1, bool Faults = false, bool Bare = false)
{
    /// <summary>The versions of containerd: the first node has the first, and so on, from the front again when they are fewer.</summary>
    public IReadOnlyList<string> Containerd { get; init; } = [ContainerdNode.OldestVersion];

    /// <summary>Two more registries, which want a password.</summary>
    public bool PrivateRegistries { get; init; }

    /// <summary>What the daemons are started with besides.</summary>
    public IReadOnlyList<string> DaemonArguments { get; init; } = [];

    /// <summary>Short: scenarios wait for the hand-over.</summary>
    public int LeaseSeconds { get; init; } = 5;

    /// <summary>How much the product writes into its logs.</summary>
    public string LogLevel { get; init; } = "Information";
}

/// <summary>
/// A whole cluster on this machine: control plane, registry, nodes, and the product's controllers and daemons from its one
/// executable. All its files are in the sandbox's directory and all its processes in the sandbox's PID namespace.
/// </summary>
public sealed class LocalCluster : Cluster
{
    private readonly string logs;
    private readonly ClusterOptions options;
    private readonly List<IDisposable> parts = [];

    private LocalCluster(string directory, ClusterOptions options)
    {
        BedDirectory = directory;
        this.options = options;
        logs = Directory.CreateDirectory(Path.Combine(directory, "logs")).FullName;
        ControlPlane = Own(new ControlPlane(directory, logs, Secrets));
        Registry = Own(new Registry("registry", directory, logs));
        string[] names = [.. Enumerable.Range(1, options.Nodes).Select(number => $"node-{number}")];
        Proxy = options.Faults ? new RegistryProxy(Registry.Address, names) : null;
        PrivateRegistries = options.PrivateRegistries ? new PrivateRegistries(directory, logs, names, Secrets) : null;
        Nodes = [.. names.Select((name, index) => Own(new ContainerdNode(name, options.Containerd[index % options.Containerd.Count], directory, logs,
            Proxy?.AddressFor(name) ?? Registry.Address, PrivateRegistries?.AddressesFor(name) ?? new Dictionary<string, Uri>())))];
        if (options.Bare)
            return;
        Controllers = [.. Enumerable.Range(1, options.Controllers).Select(number => Controller($"controller-{number}"))];
        Daemons = Nodes.ToDictionary(node => node.Name, Daemon);
    }

    public ControlPlane ControlPlane { get; }

    public override KubeApi Api => ControlPlane.Api;

    public override Registry Registry { get; }

    public override IReadOnlyList<string> NodeNames => [.. Nodes.Select(node => node.Name)];

    public override string Kubeconfig => ControlPlane.AdminKubeconfig;

    public RegistryProxy? Proxy { get; }

    public PrivateRegistries? PrivateRegistries { get; }

    /// <summary>Every password and token that was given to anybody in this cluster.</summary>
    public UsedSecrets Secrets { get; } = new();

    public string LogDirectory => logs;

    public IReadOnlyList<ContainerdNode> Nodes { get; }

    public IReadOnlyList<Component> Controllers { get; } = [];

    public IReadOnlyDictionary<string, Component> Daemons { get; } = new Dictionary<string, Component>();

    /// <summary>Starts everything at the same time, as far as one does not need the other.</summary>
    public static async Task<LocalCluster> StartAsync(ClusterOptions options, Func<Registry, CancellationToken, Task> push, CancellationToken cancellationToken)
    {
        var directory = Environment.GetEnvironmentVariable("BED_DIR")
            ?? throw new BedException("BED_DIR is not set. Start this through e2e/sandbox.sh, which ends what it starts.");
        var cluster = new LocalCluster(directory, options);
        try
        {
            await Task.WhenAll(
                [cluster.StartControlPlaneAsync(cancellationToken), cluster.StartRegistryAsync(push, cancellationToken),
                .. cluster.Nodes.Select(node => node.StartAsync(cancellationToken))]);
            await Task.WhenAll([.. cluster.Controllers.Concat(cluster.Daemons.Values).Select(component => component.StartAsync(cancellationToken))]);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The controller that the lease names; null while it names none that runs.</summary>
    public async Task<Component?> FindLeaderAsync(CancellationToken cancellationToken)
    {
        var holder = (await Api.ListAsync(Paths.Leases, cancellationToken)).Single()["spec"]!.Text("holderIdentity");
        return Controllers.SingleOrDefault(controller => controller.Name == holder);
    }

    public Task<Component> LeaderAsync(CancellationToken cancellationToken) =>
        Eventually.GetAsync("a controller leads", TimeSpan.FromSeconds(30), FindLeaderAsync, cancellationToken);

    public ContainerdNode Node(string name) => Nodes.Single(node => node.Name == name);

    public override async Task<string?> FindImageAsync(string node, string reference, CancellationToken cancellationToken) =>
        await Node(node).ImageAsync(reference, cancellationToken) is { } image ? image.RepoTags.Concat(image.RepoDigests).FirstOrDefault() : null;

    public override async ValueTask DisposeAsync()
    {
        foreach (var part in parts)
            part.Dispose();
        if (Proxy is not null)
            await Proxy.DisposeAsync();
        if (PrivateRegistries is not null)
            await PrivateRegistries.DisposeAsync();
    }

    protected override string BedDirectory { get; }

    private async Task StartControlPlaneAsync(CancellationToken cancellationToken)
    {
        await ControlPlane.StartAsync(cancellationToken);
        await InstallAsync(cancellationToken);
        await Task.WhenAll(Nodes.Select(node => CreateNodeAsync(node.Name, new Dictionary<string, string> { ["node-type"] = "xxx" }, cancellationToken)));
    }

    private async Task StartRegistryAsync(Func<Registry, CancellationToken, Task> push, CancellationToken cancellationToken)
    {
        await Registry.StartAsync(cancellationToken);
        if (Proxy is not null)
            await Proxy.StartAsync(cancellationToken);
        if (PrivateRegistries is not null)
            await PrivateRegistries.StartAsync(cancellationToken);
        await push(Registry, cancellationToken);
    }

    // The workloads of the manifests need a kubelet; everything else is applied as a person would.
    private async Task InstallAsync(CancellationToken cancellationToken)
    {
        // kubectl checks a CRD against the server's own schema and would stop at the CEL rules, which 1.20 does not know and drops.
        string[] files = [.. from part in (string[])["crds", "namespaces", "rbac"] select "--filename=" + Path.Combine(Parts.Manifests, part)];
        await KubectlAsync(["apply", "--validate=false", .. files], cancellationToken);
        await Eventually.TrueAsync("the API server serves the CRDs", TimeSpan.FromSeconds(30), async token =>
            await Api.GetAsync("/apis/apps.kruise.io/v1beta1/nodeimages", token) is not null, cancellationToken);
    }

    private Component Controller(string name) => Own(new Component(name, logs,
        "controller", "--kubeconfig", ControlPlane.ControllerKubeconfig, "--identity", name, "--lease-duration", $"{options.LeaseSeconds}", "--log-level", options.LogLevel));

    /// <summary>The command line of a node's daemon.</summary>
    public string[] DaemonArguments(ContainerdNode node) =>
    [
        "daemon", "--kubeconfig", ControlPlane.DaemonKubeconfig, "--node-name", node.Name, "--runtime-endpoint", node.Endpoint, "--log-level", options.LogLevel,
        .. options.DaemonArguments,
    ];

    private Component Daemon(ContainerdNode node) => Own(new Component(node.Name + "-daemon", logs, DaemonArguments(node)));

    private T Own<T>(T part) where T : IDisposable
    {
        parts.Add(part);
        return part;
    }
}
