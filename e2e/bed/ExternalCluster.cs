namespace KruiseImage.Bed;

/// <summary>
/// Somebody's cluster with somebody's implementation on it, for the conformance files: reached by a kubeconfig through
/// <c>kubectl proxy</c>, never installed into. It has no registry of ours, so images are named by whoever starts the run.
/// </summary>
public sealed class ExternalCluster : Cluster
{
    private readonly ServerProcess proxy;

    private ExternalCluster(string kubeconfig, string directory, Uri proxyAddress)
    {
        (Kubeconfig, BedDirectory) = (kubeconfig, directory);
        Api = new KubeApi(proxyAddress);
        proxy = new ServerProcess("kubectl-proxy", directory, Parts.Find("kubectl"),
            "--kubeconfig", kubeconfig, "proxy", "--port", proxyAddress.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public override KubeApi Api { get; }

    public override Registry Registry => throw new BedException("a cluster of others has no registry of ours: name an image");

    public override IReadOnlyList<string> NodeNames => nodeNames;

    private string[] nodeNames = [];

    public override string Kubeconfig { get; }

    protected override string BedDirectory { get; }

    public static async Task<ExternalCluster> StartAsync(CancellationToken cancellationToken)
    {
        var kubeconfig = System.Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } named ? named
            : throw new BedException("KUBECONFIG is not set: it says which cluster to ask.");
        var directory = Directory.CreateTempSubdirectory("kruise-image-conformance.").FullName;
        var cluster = new ExternalCluster(Path.GetFullPath(kubeconfig), directory, new Uri($"http://127.0.0.1:{Ports.Free()}"));
        try
        {
            cluster.proxy.Start();
            await cluster.proxy.ReadyAsync(TimeSpan.FromSeconds(30), cluster.Api.IsReadyAsync, cancellationToken);
            cluster.nodeNames = [.. (await cluster.Api.ListAsync("/apis/apps.kruise.io/v1beta1/nodeimages", cancellationToken))
                .Select(nodeImage => nodeImage["metadata"]!["name"]!.GetValue<string>()).Order(StringComparer.Ordinal)];
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Nobody's runtime is within our reach.</summary>
    public override Task<string?> FindImageAsync(string node, string reference, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public override ValueTask DisposeAsync()
    {
        proxy.Dispose();
        Api.Dispose();
        Directory.Delete(BedDirectory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
