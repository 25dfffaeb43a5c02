using System.Text.Json.Nodes;

namespace KruiseImage.Scenarios;

/// <summary>Where an object of a conformance file is in the API: by name, or all that have certain labels.</summary>
public sealed record ObjectAddress(string Kind, string Collection, string? Name, string? Labels)
{
    private static readonly Dictionary<string, (string Group, string Plural, bool IsNamespaced)> kinds = new(StringComparer.Ordinal)
    {
        ["ImagePullJob"] = ("apis/apps.kruise.io/v1beta1", "imagepulljobs", true),
        ["ImageListPullJob"] = ("apis/apps.kruise.io/v1beta1", "imagelistpulljobs", true),
        ["NodeImage"] = ("apis/apps.kruise.io/v1beta1", "nodeimages", false),
        ["Node"] = ("api/v1", "nodes", false),
        ["Namespace"] = ("api/v1", "namespaces", false),
        ["Pod"] = ("api/v1", "pods", true),
        ["Secret"] = ("api/v1", "secrets", true),
    };

    public bool IsList => Name is null;

    public string Path => IsList ? $"{Collection}?labelSelector={Uri.EscapeDataString(Labels ?? "")}" : $"{Collection}/{Name}";

    public override string ToString() => IsList ? $"{Kind} with {Labels}" : $"{Kind} {Name}";

    /// <summary>Of an object to apply, or of {kind, name, namespace, labels, apiVersion}.</summary>
    public static ObjectAddress Of(JsonNode reference, IReadOnlyDictionary<string, JsonNode> variables)
    {
        var kind = reference["kind"]!.GetValue<string>();
        if (!kinds.TryGetValue(kind, out var known)) throw new ConformanceException($"the kind {kind} is not known here");
        var metadata = reference["metadata"] ?? reference;
        var group = reference["apiVersion"]?.GetValue<string>() is { } version && version.Contains('/', StringComparison.Ordinal) ? $"apis/{version}" : known.Group;
        var ns = metadata["namespace"]?.GetValue<string>() ?? variables["namespace"].GetValue<string>();
        var labels = reference["metadata"] is null ? metadata["labels"]?.GetValue<string>() : null;
        return new($"{kind}", $"/{group}{(known.IsNamespaced ? $"/namespaces/{ns}" : "")}/{known.Plural}", labels is null ? metadata["name"]!.GetValue<string>() : null, labels);
    }
}
