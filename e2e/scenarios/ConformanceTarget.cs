using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Scenarios;

/// <summary>
/// What a cluster can offer to a conformance file, as variables: nodes, a namespace, images. On our own bed they are made for the file;
/// on another's cluster they come from the environment (`make conformance IMAGE=…`).
/// </summary>
public sealed class ConformanceTarget(Cluster cluster)
{
    /// <summary>Nobody answers there (an address reserved for documentation): a pull from it lasts.</summary>
    private const string NobodysImage = "192.0.2.1/conformance/slow:1";

    /// <summary>Why the file cannot run here, or null.</summary>
    public string? Lacks(JsonObject needs)
    {
        foreach (var (need, value) in needs)
        {
            var missing = need switch
            {
                "nodes" when cluster.NodeNames.Count < value!.GetValue<long>() => $"{value} nodes; there are {cluster.NodeNames.Count}",
                "createNodes" when cluster is ExternalCluster && Given("CREATE_NODES") is null => "to create Nodes; CREATE_NODES=1 allows it",
                "image" when cluster is ExternalCluster && Given("IMAGE") is null => "IMAGE",
                "privateImage" when PrivateImage is null => "an image behind a password: PRIVATE_IMAGE, PRIVATE_USERNAME, PRIVATE_PASSWORD",
                "nodes" or "createNodes" or "image" or "slowImage" or "privateImage" => null,
                _ => throw new ConformanceException($"nobody knows how to offer \"{need}\""),
            };
            if (missing is not null) return $"it needs {missing}";
        }

        return null;
    }

    public async Task<IReadOnlyDictionary<string, string>> OfferAsync(ConformanceFile file, string name, CancellationToken cancellationToken)
    {
        var offer = new Dictionary<string, string>(StringComparer.Ordinal) { ["namespace"] = Given("NAMESPACE") ?? "default" };
        foreach (var (node, index) in cluster.NodeNames.Select((node, index) => (node, index)))
            offer[$"node{index}"] = node;
        foreach (var need in file.Needs.Select(need => need.Key))
        {
            if (need == "image") Add(offer, "image", await ImageAsync(name, cancellationToken));
            if (need == "slowImage") Add(offer, "slowImage", await SlowImageAsync(name, cancellationToken));
            if (need == "privateImage" && PrivateImage is { } image) Add(offer, "privateImage", image);
        }

        if (offer.TryGetValue("image.name", out var known)) offer["missingImage"] = $"{known}:no-such-tag";
        if (offer.TryGetValue("privateImage", out var hidden))
            (offer["privateRegistry"], offer["privateUsername"], offer["privatePassword"]) =
                (hidden.Split('/')[0], Given("PRIVATE_USERNAME") ?? "", Given("PRIVATE_PASSWORD") ?? "");
        return offer;
    }

    private static string? PrivateImage => Given("PRIVATE_IMAGE");

    private static string? Given(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    /// <summary>The reference, its name and its tag.</summary>
    private static void Add(Dictionary<string, string> offer, string variable, string reference)
    {
        var colon = reference.LastIndexOf(':');
        (offer[variable], offer[variable + ".name"], offer[variable + ".tag"]) = (reference, reference[..colon], reference[(colon + 1)..]);
    }

    private async Task<string> ImageAsync(string name, CancellationToken cancellationToken)
    {
        if (cluster is ExternalCluster) return Given("IMAGE")!;
        await cluster.Registry.PushAsync($"e2e/conformance-{name}", "1", new ImageContent(name.Length, 100 * 1024), cancellationToken);
        return $"e2e/conformance-{name}:1";
    }

    private async Task<string> SlowImageAsync(string name, CancellationToken cancellationToken)
    {
        if (cluster is not LocalCluster { Proxy: { } proxy } local) return Given("SLOW_IMAGE") ?? NobodysImage;
        var repository = $"e2e/conformance-slow-{name}";
        await local.Registry.PushAsync(repository, "1", new ImageContent(name.Length + 1, 6000 * 1024), cancellationToken);
        proxy.Set(repository, new Fault(BytesPerSecond: 50 * 1024));
        return $"{repository}:1";
    }
}
