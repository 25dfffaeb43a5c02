using System.Net;

namespace KruiseImage.Bed;

/// <summary>
/// The same scenarios on kind, where Docker is: the product runs from its image and its own manifests, under a real kubelet. The
/// registry is a process of this machine that the nodes reach over Docker's bridge.
/// </summary>
public sealed class KindCluster : Cluster
{
    private const string Name = "kruise-image-e2e";
    private const string ProductImage = "kruise-image:e2e";

    private readonly ServerProcess proxy;

    private KindCluster(string directory, Uri proxyAddress, IPAddress bridge)
    {
        BedDirectory = directory;
        var logs = Directory.CreateDirectory(Path.Combine(directory, "logs")).FullName;
        Kubeconfig = KubeconfigIn(directory);
        Api = new KubeApi(proxyAddress);
        Registry = new Registry("registry", directory, logs, address: bridge);
        proxy = new ServerProcess("kubectl-proxy", logs, Parts.Find("kubectl"), "proxy", "--kubeconfig", Kubeconfig, "--port", $"{proxyAddress.Port}");
    }

    public override KubeApi Api { get; }

    public override Registry Registry { get; }

    public override IReadOnlyList<string> NodeNames { get; } = [$"{Name}-worker", $"{Name}-worker2", $"{Name}-worker3"];

    public override string Kubeconfig { get; }

    protected override string BedDirectory { get; }

    public static async Task<KindCluster> StartAsync(Func<Registry, CancellationToken, Task> push, CancellationToken cancellationToken)
    {
        var directory = Environment.GetEnvironmentVariable("BED_DIR") ?? throw new BedException("BED_DIR is not set. Start this through e2e/sandbox.sh.");
        await RunAsync("kind", ["delete", "cluster", "--name", Name], cancellationToken); // what a killed run left
        await RunAsync("kind", ["create", "cluster", "--name", Name, "--kubeconfig", KubeconfigIn(directory),
            "--config", Path.Combine(Parts.RepositoryRoot, "e2e/kind.yaml"), "--wait", "120s"], cancellationToken);
        await RunAsync("docker", ["build", "--tag", ProductImage, Parts.RepositoryRoot], cancellationToken);
        await RunAsync("kind", ["load", "docker-image", ProductImage, "--name", Name], cancellationToken);
        var gateway = await RunAsync("docker", ["network", "inspect", "kind", "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}"], cancellationToken);
        var bridge = gateway.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(address => IPAddress.Parse(address.Trim()))
            .First(address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);

        var cluster = new KindCluster(directory, new Uri($"http://127.0.0.1:{Ports.Free()}"), bridge);
        await cluster.InstallAsync(push, cancellationToken);
        return cluster;
    }

    public override async Task<string?> FindImageAsync(string node, string reference, CancellationToken cancellationToken)
    {
        var images = await RunAsync("docker", ["exec", node, "crictl", "images", "--quiet", reference], cancellationToken);
        return images.Trim().Length > 0 ? reference : null;
    }

    public override async ValueTask DisposeAsync()
    {
        proxy.Dispose();
        Registry.Dispose();
        Api.Dispose();
        await RunAsync("kind", ["delete", "cluster", "--name", Name], CancellationToken.None);
    }

    private static string KubeconfigIn(string directory) => Path.Combine(directory, "kubeconfig");

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        (await CommandResult.RunAsync(Parts.Find(program), arguments, new Dictionary<string, string>(), null, cancellationToken)).Succeeded();

    private async Task InstallAsync(Func<Registry, CancellationToken, Task> push, CancellationToken cancellationToken)
    {
        await Registry.StartAsync(cancellationToken);
        await push(Registry, cancellationToken);
        foreach (var node in NodeNames)
            await RunAsync("docker", ["exec", node, "sh", "-c",
                $"mkdir -p /etc/containerd/certs.d/docker.io && printf '[host.\"{Registry.Address.GetLeftPart(UriPartial.Authority)}\"]\\n' >/etc/containerd/certs.d/docker.io/hosts.toml"],
                cancellationToken);

        proxy.Start();
        await proxy.ReadyAsync(TimeSpan.FromSeconds(30), Api.IsReadyAsync, cancellationToken);
        (await CtlAsync(["install", "--image", ProductImage], cancellationToken)).Succeeded();
        foreach (var workload in (string[])["deployment/kruise-image-controller", "daemonset/kruise-image-daemon"])
            await KubectlAsync(["--namespace", ControlPlane.SystemNamespace, "rollout", "status", workload, "--timeout", "180s"], cancellationToken);
    }
}
