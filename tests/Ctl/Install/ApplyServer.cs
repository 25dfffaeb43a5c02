using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Scenarios;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>
/// Remembers what is applied to it, as JSON under "plural/namespace/name": whole objects, no merging. An equal one leaves the
/// resourceVersion as it is. CRDs are served at once; finalizers hold a deleted object until they are patched away.
/// </summary>
internal sealed class ApplyServer : StubClient
{
    public SortedDictionary<string, JsonObject> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>From key and body to the reason why not.</summary>
    public Func<string, string, string?> Refuse { get; init; } = (_, _) => null;

    public ApiError Refusal { get; init; } = ApiError.Invalid;

    public JsonArray Conditions { get; init; } = [Condition("Established", "True", "")];

    public bool Down { get; init; }

    /// <summary>Kinds that the server does not have, by how their plural begins.</summary>
    public string? Lacks { get; init; }

    /// <summary>What was written, in order: "apply deployments/ns/name", "delete …".</summary>
    public List<string> Written { get; } = [];

    /// <summary>After each write; stands for the cluster's own controllers.</summary>
    public Action<ApplyServer>? Lives { get; set; }

    public static JsonObject Condition(string type, string status, string message) => new() { ["type"] = type, ["status"] = status, ["message"] = message };

    /// <summary>As if somebody else had created it.</summary>
    public JsonObject Put(string plural, string json)
    {
        var item = JsonNode.Parse(json)!.AsObject();
        var metadata = item["metadata"]!.AsObject();
        metadata["resourceVersion"] ??= "1";
        metadata["uid"] ??= $"uid-{metadata["name"]}";
        Objects[$"{plural}/{ObjectKey.Of(metadata["namespace"]?.GetValue<string>(), metadata["name"]!.GetValue<string>())}"] = item;
        return item;
    }

    public override Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken) => Task.FromResult(
        Down ? new ApiResult<T>(null, ApiError.Unavailable, "connection refused")
        : Objects.TryGetValue(Key(resource, @namespace, name), out var found) ? Read(resource, found)
        : new ApiResult<T>(null, ApiError.NotFound, "not found"));

    public override Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
    {
        if (Lacks is not null && resource.Plural.StartsWith(Lacks, StringComparison.Ordinal)) return Task.FromResult(new ApiResult<ObjectList<T>>(null, ApiError.NotFound, "404 page not found"));
        var labels = (query.LabelSelector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(term => term.Split('=')).ToList();
        var items = from pair in Objects
                    where pair.Key.StartsWith(resource.Plural + "/", StringComparison.Ordinal)
                    where query.Namespace is null || pair.Value["metadata"]!["namespace"]?.GetValue<string>() == query.Namespace
                    where labels.TrueForAll(label => pair.Value["metadata"]!["labels"]?[label[0]] is { } value && (label.Length == 1 || value.GetValue<string>() == label[1]))
                    select Read(resource, pair.Value).Value!;
        return Task.FromResult<ApiResult<ObjectList<T>>>(new ObjectList<T> { Items = [.. items] });
    }

    public override Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
    {
        var key = Key(resource, @namespace, name);
        var body = Encoding.UTF8.GetString(patch.Body.Span);
        if (Lacks is not null && key.StartsWith(Lacks, StringComparison.Ordinal)) return Task.FromResult(new ApiResult<T>(null, ApiError.NotFound, "404 page not found"));
        if (Refuse(key, $"{body}{(patch.Force ? "force" : "")}") is { } why) return Task.FromResult(new ApiResult<T>(null, Refusal, why));
        if (@namespace is not null && @namespace != "default" && resource.Group != "apps.kruise.io" && !Objects.ContainsKey($"namespaces/{@namespace}"))
            return Task.FromResult(new ApiResult<T>(null, ApiError.NotFound, $"namespaces \"{@namespace}\" not found"));
        var before = Objects.GetValueOrDefault(key);
        var after = patch.Kind == PatchKind.Apply ? Applied(resource.Plural, body, before) : Merged(before!, JsonNode.Parse(body)!);
        if (patch.DryRun) return Task.FromResult(Read(resource, after));
        Written.Add($"{patch.Kind.ToString().ToLowerInvariant()} {key}");
        Objects[key] = after;
        if (after["metadata"]!["deletionTimestamp"] is not null && after["metadata"]!["finalizers"] is not JsonArray { Count: > 0 }) Objects.Remove(key);
        Lives?.Invoke(this);
        return Task.FromResult(Read(resource, after));
    }

    public override Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
    {
        var key = Key(resource, @namespace, name);
        if (!Objects.TryGetValue(key, out var found)) return Task.FromResult(new ApiResult<T>(null, ApiError.NotFound, "not found"));
        if (Refuse(key, "delete") is { } why) return Task.FromResult(new ApiResult<T>(null, Refusal, why));
        Assert.True(uid is null || uid == found["metadata"]!["uid"]!.GetValue<string>());
        Written.Add($"delete {key}");
        var isHeld = found["metadata"]!["finalizers"] is JsonArray { Count: > 0 };
        if (isHeld) found["metadata"]!["deletionTimestamp"] = "2026-11-27T12:00:00Z";
        else Objects.Remove(key);
        Lives?.Invoke(this);
        return Task.FromResult(isHeld ? Read(resource, found) : new ApiResult<T>(null, ApiError.None));
    }

    private JsonObject Applied(string plural, string yaml, JsonObject? before)
    {
        var item = YamlJson.Read(yaml)!.AsObject();
        var metadata = item["metadata"]!.AsObject();
        foreach (var (field, value) in new Dictionary<string, JsonNode?>
        {
            ["uid"] = before?["metadata"]!["uid"]?.DeepClone() ?? $"uid-{metadata["name"]}",
            ["managedFields"] = new JsonArray(new JsonObject { ["manager"] = LiveObject.Product, ["operation"] = "Apply" }),
            ["resourceVersion"] = before?["metadata"]!["resourceVersion"]?.DeepClone() ?? "1",
        })
            metadata[field] = value;
        if (before?["status"] is { } status) item["status"] = status.DeepClone();
        else if (plural == "customresourcedefinitions") item["status"] = new JsonObject { ["conditions"] = Conditions.DeepClone() };
        if (before is not null && !JsonNode.DeepEquals(before, item)) metadata["resourceVersion"] = $"{int.Parse(metadata["resourceVersion"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture) + 1}";
        return item;
    }

    private static JsonObject Merged(JsonObject before, JsonNode patch)
    {
        var after = before.DeepClone().AsObject();
        Merge(after, patch.AsObject());
        return after;

        static void Merge(JsonObject into, JsonObject patch)
        {
            foreach (var (name, value) in patch)
            {
                if (value is null) into.Remove(name);
                else if (value is JsonObject inner && into[name] is JsonObject old) Merge(old, inner);
                else into[name] = value.DeepClone();
            }
        }
    }

    private static ApiResult<T> Read<T>(Resource<T> resource, JsonObject item)
        where T : class, IKubeObject => JsonSerializer.Deserialize(item.ToJsonString(), resource.Type)!;

    private static string Key<T>(Resource<T> resource, string? @namespace, string name)
        where T : class, IKubeObject => $"{resource.Plural}/{ObjectKey.Of(@namespace, name)}";
}
