using System.Text.Json;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>The workloads of YAML and JSON texts: documents, and the items of Lists. Pure.</summary>
public sealed class WorkloadFiles
{
    /// <summary>Items of a List that are Lists themselves; an alias could make it endless.</summary>
    private const int MaxListDepth = 3;

    /// <summary>More skipped objects than these are counted, not named.</summary>
    private const int MaxNamed = 5;

    private readonly List<Workload> _workloads = [];
    private readonly Dictionary<(string? Namespace, string Name), IReadOnlyList<string>> _serviceAccounts = [];
    private readonly List<string> _skipped = [];

    /// <summary>With the pull secrets of those ServiceAccounts that the texts have too.</summary>
    public IEnumerable<Workload> Workloads => _workloads.Select(workload =>
        workload.Secrets.Count == 0 && _serviceAccounts.TryGetValue((workload.Namespace, workload.ServiceAccount), out var secrets) ? workload with { Secrets = secrets } : workload);

    /// <summary>What has no images, in one sentence; null when there was nothing.</summary>
    public string? Skipped => _skipped.Count == 0 ? null
        : $"skipped, without images: {string.Join(", ", _skipped.Take(MaxNamed))}{(_skipped.Count > MaxNamed ? $" and {_skipped.Count - MaxNamed} more" : "")}";

    public void Add(string where, string text)
    {
        foreach (var document in YamlDocuments.Read(where, text)) Add(where, document, YamlDocuments.TemplateHint(text), 0);
    }

    /// <param name="hint">For what is no object.</param>
    private void Add(string where, JsonElement json, string hint, int depth)
    {
        if (json.ValueKind == JsonValueKind.Null) return; // nothing between two lines of dashes
        if (json.ValueKind == JsonValueKind.Array && depth == 0)
        {
            foreach (var item in json.EnumerateArray()) Add(where, item, hint, depth + 1);
            return;
        }
        if (json.ValueKind != JsonValueKind.Object || json.Text("kind") is not { } kind)
            throw CommandException.Usage($"{where}: a document is no Kubernetes object, it has no kind{hint}");
        if (kind.EndsWith("List", StringComparison.Ordinal) && json.At("items") is { ValueKind: JsonValueKind.Array } items && depth < MaxListDepth)
        {
            foreach (var item in items.EnumerateArray()) Add(where, item, hint, depth + 1);
            return;
        }
        if (kind == "ServiceAccount" && Workload.SecretsOf(json) is { Count: > 0 } secrets)
            _serviceAccounts[(json.Text("metadata", "namespace"), Workload.NameOf(json))] = secrets;
        if (Workload.Of(where, json) is { } workload) _workloads.Add(workload);
        else _skipped.Add($"{kind.ToLowerInvariant()}/{Workload.NameOf(json)}");
    }
}
