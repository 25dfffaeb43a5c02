using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>
/// A cluster under test with the product running in it: the API as its administrator, its nodes, and a registry that every node pulls
/// from. <see cref="LocalCluster"/> is made of processes of this machine, <see cref="KindCluster"/> of containers.
/// </summary>
public abstract class Cluster : IAsyncDisposable
{
    public abstract KubeApi Api { get; }

    public abstract Registry Registry { get; }

    /// <summary>The nodes that the product runs on, by name, sorted.</summary>
    public abstract IReadOnlyList<string> NodeNames { get; }

    /// <summary>The administrator's kubeconfig.</summary>
    public abstract string Kubeconfig { get; }

    protected abstract string BedDirectory { get; }

    /// <summary>The image's name in the runtime of the node, or null: asked from the runtime, never from a status.</summary>
    public abstract Task<string?> FindImageAsync(string node, string reference, CancellationToken cancellationToken);

    public async Task<string> KubectlAsync(IEnumerable<string> arguments, CancellationToken cancellationToken, string? input = null) =>
        (await CommandResult.RunAsync(Parts.Find("kubectl"), arguments, Environment, input, cancellationToken)).Succeeded();

    /// <summary><c>kruise-image ctl</c> as the administrator.</summary>
    public Task<CommandResult> CtlAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        CommandResult.RunAsync(Parts.Product, ["ctl", .. arguments], Environment, null, cancellationToken);

    /// <summary>The same with its output on our terminal. Its exit code is for the caller to judge.</summary>
    public Task<int> CtlInteractiveAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        CommandResult.RunInteractiveAsync(Parts.Product, ["ctl", .. arguments], Environment, cancellationToken);

    /// <summary>Creates a Node as a kubelet would leave it: Ready, with the labels that every Node has.</summary>
    public async Task CreateNodeAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var allLabels = new JsonObject { ["kubernetes.io/hostname"] = name, ["kubernetes.io/os"] = "linux", ["kubernetes.io/arch"] = "amd64" };
        foreach (var (key, value) in labels)
            allLabels[key] = value;
        await Api.CreateAsync("/api/v1/nodes", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = allLabels },
        }, cancellationToken);
        await SetNodeReadyAsync(name, ready: true, cancellationToken);
    }

    public Task SetNodeReadyAsync(string name, bool ready, CancellationToken cancellationToken) =>
        Api.MergePatchAsync($"/api/v1/nodes/{name}/status", new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["conditions"] = new JsonArray(new JsonObject
                {
                    ["type"] = "Ready",
                    ["status"] = ready ? "True" : "False",
                    ["reason"] = ready ? "KubeletReady" : "KubeletNotReady",
                }),
            },
        }, cancellationToken);

    public abstract ValueTask DisposeAsync();

    // HOME is the bed's, so that kubectl's discovery cache ends with it.
    private Dictionary<string, string> Environment => new() { ["KUBECONFIG"] = Kubeconfig, ["HOME"] = BedDirectory };
}
