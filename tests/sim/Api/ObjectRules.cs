using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;

namespace KruiseImage.Sim.Api;

/// <summary>
/// What the server makes of an object before it stores it: the metadata that are its own, what a request may not touch, and the rules
/// that it must keep. Works on the request's tree in place; owns the counter of uids.
/// </summary>
internal sealed class ObjectRules(TimeProvider clock)
{
    private const int DefaultGraceSeconds = 30;

    /// <summary>The answer of <see cref="MarkDeleting"/> when the object is being deleted already.</summary>
    public static readonly JsonObject Unchanged = [];

    /// <summary>What only the server writes.</summary>
    private static readonly string[] OfTheServer = ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace", "name", "generateName"];

    private static readonly HashSet<string> KnownMetadata = new(StringComparer.Ordinal)
    {
        "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "labels", "annotations", "ownerReferences", "finalizers",
    };

    private long _uids, _names;

    public Refusal? PrepareCreate(SimKind kind, string? @namespace, JsonObject body)
    {
        if (kind.Namespaced && string.IsNullOrEmpty(@namespace)) return new Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        if (Type(kind, body) is { } unknown) return unknown;
        var metadata = CleanMetadata(body);
        if (metadata["resourceVersion"] is not null) return new Refusal(500, "InternalError", "resourceVersion should not be set on objects to be created");
        if (metadata["name"] is null && metadata["generateName"]?.GetValue<string>() is { } prefix) metadata["name"] = prefix + Suffix();
        if (metadata["name"]?.GetValue<string>() is not { } name) return Refusal.Invalid(kind, "", "metadata.name: Required value: name or generateName is required");
        if (!DnsName.IsSubdomain(name)) return Refusal.Invalid(kind, name, $"metadata.name: Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'");
        if (kind.Namespaced) metadata["namespace"] = @namespace;
        else metadata.Remove("namespace");
        metadata["uid"] = $"00000000-0000-4000-8000-{++_uids:x12}";
        metadata["creationTimestamp"] = Time(TimeSpan.Zero);
        foreach (var gone in (ReadOnlySpan<string>)["generation", "deletionTimestamp", "deletionGracePeriodSeconds"]) metadata.Remove(gone);
        if (kind.Schema is null)
        {
            // A pod has not started anywhere, whatever its maker says.
            if (kind.DeletesGracefully) body["status"] = new JsonObject { ["phase"] = "Pending" };
            return null;
        }

        metadata["generation"] = 1L;
        if (kind.HasStatus) body.Remove("status");
        return Judge(kind, name, body);
    }

    /// <param name="body">As the request wants the object to be: the whole of it.</param>
    public static Refusal? PrepareUpdate(SimKind kind, string name, StoredObject present, JsonObject body, string? subresource, bool isPatch)
    {
        if (Type(kind, body) is { } unknown) return unknown;
        var metadata = CleanMetadata(body);
        if (metadata["name"]?.GetValue<string>() is { } other && other != name)
            return Refusal.BadRequest($"the name of the object ({other}) does not match the name on the URL ({name})");
        if (metadata["uid"]?.GetValue<string>() is { } uid && uid != present.Uid)
        {
            return isPatch ? Refusal.Invalid(kind, name, $"metadata.uid: Invalid value: \"{uid}\": field is immutable")
                : Refusal.Conflict(kind, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {present.Uid}");
        }

        if (metadata["namespace"]?.GetValue<string>() is { } ns && ns != present.Meta("namespace"))
            return Refusal.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        var version = metadata["resourceVersion"]?.GetValue<string>();
        if (version is null && !kind.TakesUnconditionalUpdate) return Refusal.Invalid(kind, name, "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update");
        if (version is not null && version != SimApiServer.Text(present.Version)) return Refusal.Modified(kind, name);
        var isStatus = subresource is not null;
        if (!isStatus && metadata["deletionTimestamp"] is { } deletion && !present.IsDeleting)
            return Refusal.Invalid(kind, name, $"metadata.deletionTimestamp: Invalid value: {deletion.ToJsonString()}: field is immutable");
        if (kind.Schema is not null && isStatus) body["metadata"] = metadata = (JsonObject)present.ToMutable()["metadata"]!.DeepClone();
        Restore(metadata, present.Metadata, OfTheServer);
        metadata["resourceVersion"] = SimApiServer.Text(present.Version);
        Isolate(kind, present, body, isStatus);
        if (NewFinalizer(metadata, present) is { } added)
            return Refusal.Invalid(kind, name, $"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{\"{added}\"}}");
        if (kind.Schema is null) return null;
        if (Judge(kind, name, body) is { } refusal) return refusal;
        if (!isStatus && !IsSameButMetadata(present.Json, body)) metadata["generation"] = metadata["generation"]!.GetValue<long>() + 1;
        return null;
    }

    /// <summary>The object with its deletion written down; null when nothing holds it.</summary>
    public JsonObject? MarkDeleting(SimKind kind, StoredObject present, int? graceSeconds)
    {
        var grace = kind.DeletesGracefully ? Grace(present.Json, graceSeconds) : 0;
        var hasFinalizers = present.Metadata.TryGetProperty("finalizers", out _);
        if (grace == 0 && !hasFinalizers) return null;
        if (present.IsDeleting && (grace > 0 || present.Metadata.GetProperty("deletionGracePeriodSeconds").GetInt64() == 0)) return Unchanged;
        var marked = present.ToMutable();
        var metadata = (JsonObject)marked["metadata"]!;
        metadata["deletionTimestamp"] = Time(TimeSpan.FromSeconds(grace));
        metadata["deletionGracePeriodSeconds"] = (long)grace;
        if (metadata["generation"] is { } generation) metadata["generation"] = generation.GetValue<long>() + 1;
        return marked;
    }

    /// <summary>The last finalizer of an object that is being deleted has gone.</summary>
    public static bool IsFinished(JsonObject body) =>
        body["metadata"] is JsonObject metadata && metadata.ContainsKey("deletionTimestamp") && !metadata.ContainsKey("finalizers") && metadata["deletionGracePeriodSeconds"]?.GetValue<long>() == 0;

    public static bool IsSame(StoredObject present, JsonObject body) => JsonElement.DeepEquals(present.Json, StoredObject.Parse(StoredObject.ToUtf8(body)));

    /// <summary>A built-in type is known from the path; of a custom one the body must say it.</summary>
    private static Refusal? Type(SimKind kind, JsonObject body)
    {
        if (kind.Schema is not null && body["kind"] is null) return Refusal.BadRequest("Object 'Kind' is missing");
        if (kind.Schema is not null && body["apiVersion"] is null) return Refusal.BadRequest("Object 'apiVersion' is missing");
        var version = kind.Schema is not null ? Defaults.Version : "v1";
        body["kind"] ??= kind.Kind;
        body["apiVersion"] ??= kind.Group.Length == 0 ? version : $"{kind.Group}/{version}";
        return null;
    }

    private static Refusal? Judge(SimKind kind, string name, JsonObject body)
    {
        var metadata = body["metadata"];
        body.Remove("metadata"); // has rules of its own
        kind.Schema!.Shape(body);
        var complaints = kind.Schema.Complaints(body, "");
        body["metadata"] = metadata;
        return complaints.Count == 0 ? null : Refusal.Invalid(kind, name, complaints.Count == 1 ? complaints[0] : $"[{string.Join(", ", complaints)}]");
    }

    /// <summary>Fields that no object has are dropped, and so are empty ones; managed fields are not kept here.</summary>
    private static JsonObject CleanMetadata(JsonObject body)
    {
        if (body["metadata"] is not JsonObject metadata) body["metadata"] = metadata = [];
        List<string>? gone = null;
        foreach (var (name, value) in metadata)
            if (!KnownMetadata.Contains(name) || IsEmpty(value)) (gone ??= []).Add(name);
        foreach (var name in gone ?? []) metadata.Remove(name);
        return metadata;
    }

    private static bool IsEmpty(JsonNode? value) => value switch
    {
        null => true,
        JsonObject map => map.Count == 0,
        JsonArray list => list.Count == 0,
        _ => value.GetValueKind() == JsonValueKind.String && value.GetValue<string>().Length == 0,
    };

    private static void Restore(JsonObject tree, JsonElement present, ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            if (!present.TryGetProperty(field, out var value)) tree.Remove(field);
            else if (tree[field] is not { } mine || !JsonElement.DeepEquals(value, AsElement(mine))) tree[field] = Node(value);
        }
    }

    /// <summary>A write of the status touches nothing else, and the other way round. Of built-in kinds a status brings its metadata along.</summary>
    private static void Isolate(SimKind kind, StoredObject present, JsonObject body, bool isStatus)
    {
        if (!isStatus)
        {
            if (kind.HasStatus) Restore(body, present.Json, ["status"]);
            return;
        }

        foreach (var property in present.Json.EnumerateObject())
            if (property.Name is not ("status" or "metadata")) body[property.Name] = Node(property.Value);
        foreach (var (name, _) in body.ToList())
            if (name is not ("status" or "metadata") && !present.Json.TryGetProperty(name, out _)) body.Remove(name);
    }

    private static string? NewFinalizer(JsonObject metadata, StoredObject present)
    {
        if (!present.IsDeleting || metadata["finalizers"] is not JsonArray finalizers) return null;
        var known = present.Metadata.TryGetProperty("finalizers", out var before) ? before.EnumerateArray().Select(finalizer => finalizer.GetString()).ToArray() : [];
        return finalizers.Select(finalizer => finalizer!.GetValue<string>()).FirstOrDefault(finalizer => !known.Contains(finalizer));
    }

    private static bool IsSameButMetadata(JsonElement present, JsonObject body)
    {
        var fields = 0;
        foreach (var property in present.EnumerateObject())
        {
            fields++;
            if (property.Name == "metadata") continue;
            if (!body.TryGetPropertyValue(property.Name, out var mine) || !JsonNode.DeepEquals(Node(property.Value), mine)) return false;
        }

        return fields == body.Count;
    }

    /// <summary>A pod that runs nowhere, or has ended, need not wait for its kubelet.</summary>
    private static int Grace(JsonElement pod, int? asked)
    {
        var node = pod.TryGetProperty("spec", out var spec) && spec.TryGetProperty("nodeName", out var name) ? name.GetString() : null;
        var phase = pod.TryGetProperty("status", out var status) && status.TryGetProperty("phase", out var said) ? said.GetString() : null;
        if (string.IsNullOrEmpty(node) || phase is "Succeeded" or "Failed") return 0;
        return asked ?? (spec.TryGetProperty("terminationGracePeriodSeconds", out var seconds) ? seconds.GetInt32() : DefaultGraceSeconds);
    }

    private static JsonNode? Node(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value),
        JsonValueKind.Array => JsonArray.Create(value),
        JsonValueKind.Null => null,
        _ => JsonValue.Create(value),
    };

    private static JsonElement AsElement(JsonNode node) => StoredObject.Parse(StoredObject.ToUtf8(node));

    private string Time(TimeSpan later) => (clock.GetUtcNow() + later).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Five characters, as the real server's; counted, so that a run can be repeated.</summary>
    private string Suffix()
    {
        const string Letters = "bcdfghjklmnpqrstvwxz2456789";
        var number = _names++;
        return string.Create(5, number, static (suffix, rest) =>
        {
            for (var i = suffix.Length - 1; i >= 0; i--, rest /= Letters.Length) suffix[i] = Letters[(int)(rest % Letters.Length)];
        });
    }
}
