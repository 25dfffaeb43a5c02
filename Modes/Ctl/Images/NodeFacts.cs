using System.Text.Json.Serialization;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>A Node, cut down to what a dry run asks of it.</summary>
public sealed record NodeFacts : IKubeObject
{
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public NodeFactsStatus? Status { get; init; }

    public static Resource<NodeFacts> Resource { get; } = new("", "v1", "nodes", false, DryRunJson.Default.NodeFacts, DryRunJson.Default.ObjectListNodeFacts);
}

public sealed record NodeFactsStatus
{
    /// <summary>The largest images of the node, by their names; at most 50 unless the kubelet is told otherwise.</summary>
    public List<NodeFactsImage>? Images { get; init; }
    public NodeFactsInfo? NodeInfo { get; init; }
    public List<Condition>? Conditions { get; init; }
}

public sealed record NodeFactsImage
{
    public List<string>? Names { get; init; }
}

public sealed record NodeFactsInfo
{
    public string? Architecture { get; init; }
    public string? OperatingSystem { get; init; }
}

/// <summary>The kubelet's stats/summary, through the API server: how much room there is for images.</summary>
public sealed record KubeletStats : IKubeObject
{
    /// <summary>It has none; the client asks for objects.</summary>
    [JsonIgnore]
    public ObjectMeta Metadata { get; } = new();

    [JsonPropertyName("node")]
    public KubeletNode? Node { get; init; }

    /// <summary>Where the summary of one node is: asked for by <see cref="Name"/>.</summary>
    public static Resource<KubeletStats> ResourceOf(string node) => new(
        "", "v1", $"nodes/{Uri.EscapeDataString(node)}/proxy/stats", false, DryRunJson.Default.KubeletStats, DryRunJson.Default.ObjectListKubeletStats);

    public const string Name = "summary";

    [JsonIgnore]
    public long? AvailableBytes => Node?.Runtime?.ImageFs?.AvailableBytes;
}

public sealed record KubeletNode
{
    public KubeletRuntime? Runtime { get; init; }
}

public sealed record KubeletRuntime
{
    public KubeletFs? ImageFs { get; init; }
}

public sealed record KubeletFs
{
    public long? AvailableBytes { get; init; }
}

/// <summary>What a dry run reads; everything else of an object is skipped.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    Converters = [typeof(TimeConverter), typeof(OptionalTimeConverter), typeof(Int64Converter)])]
[JsonSerializable(typeof(NodeFacts))]
[JsonSerializable(typeof(ObjectList<NodeFacts>))]
[JsonSerializable(typeof(KubeletStats))]
[JsonSerializable(typeof(ObjectList<KubeletStats>))]
public sealed partial class DryRunJson : JsonSerializerContext;
