using System.Globalization;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>What a write did, told once it is done. Refused requests are not told.</summary>
/// <param name="Verb">create, update, patch or delete.</param>
/// <param name="Subresource">Null, or "status".</param>
/// <param name="Before">Null: there was no such object.</param>
/// <param name="After">Null: it is gone.</param>
public sealed record SimWrite(string Actor, string Verb, string? Subresource, string Plural, string Key, StoredObject? Before, StoredObject? After)
{
    /// <summary>False: the server took the request, and nothing came of it.</summary>
    public bool Changed => !ReferenceEquals(Before, After);
}

/// <summary>
/// An API server for one thread: it answers at once, its time comes from outside, its uids are counted. It keeps objects as the real one
/// does, as JSON under one rising version, with the history that watches read. What it promises is tests/Kube/ApiServerContract.cs, which
/// the real server keeps too. It knows no namespaces, no rights, no managed fields, and of the built-in kinds no rules but those of metadata.
/// </summary>
public sealed class SimApiServer
{
    private readonly Dictionary<string, SimKind> _kinds = SimKind.All().ToDictionary(kind => kind.Plural, StringComparer.Ordinal);
    private readonly Dictionary<(string Actor, string Verb, string Plural), long> _requests = [];
    private readonly ObjectRules _rules;

    public SimApiServer(TimeProvider clock) => _rules = new ObjectRules(clock);

    public event Action<SimWrite>? Written;

    /// <summary>Of the last change; every change has its own.</summary>
    public long Version { get; private set; } = 1;

    /// <summary>The oldest version that a watch or a continue token may still start from.</summary>
    public long Compacted { get; private set; }

    /// <summary>How often somebody asked something, refusals included.</summary>
    public IReadOnlyDictionary<(string Actor, string Verb, string Plural), long> Requests => _requests;

    public SimSession As(string actor) => new(this, actor);

    /// <summary>Forgets what was before the version: who wants to go on from there is told to list again.</summary>
    public void Compact(long version)
    {
        Compacted = Math.Max(Compacted, Math.Min(version, Version));
        foreach (var kind in _kinds.Values) kind.Forget(Compacted - 1);
    }

    /// <summary>All objects of a kind in the order of their keys. Nobody counts that.</summary>
    public IEnumerable<T> Objects<T>(Resource<T> resource)
        where T : class, IKubeObject => _kinds[resource.Plural].Objects.Values.Select(stored => stored.Read(resource));

    public IEnumerable<StoredObject> Objects(string plural) => _kinds[plural].Objects.Values;

    /// <summary>Null when there is none. Nobody counts that.</summary>
    public T? Find<T>(Resource<T> resource, string? @namespace, string name)
        where T : class, IKubeObject => _kinds[resource.Plural].Objects.GetValueOrDefault(ObjectKey.Of(@namespace, name))?.Read(resource);

    internal static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    internal SimKind Kind(string plural) => _kinds[plural];

    internal void Count(string actor, string verb, SimKind kind)
    {
        ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_requests, (actor, verb, kind.Plural), out _);
        count++;
    }

    internal Answer Create(string actor, SimKind kind, string? @namespace, JsonObject body)
    {
        if (_rules.PrepareCreate(kind, @namespace, body) is { } refusal) return new(null, refusal);
        var name = body["metadata"]!["name"]!.GetValue<string>();
        var key = KeyOf(kind, @namespace, name);
        return kind.Objects.ContainsKey(key) ? new(null, Refusal.AlreadyExists(kind, name)) : new(Commit(actor, "create", null, kind, key, null, body));
    }

    /// <summary>A PUT: the body takes the place of what is there.</summary>
    internal Answer Update(string actor, SimKind kind, string? @namespace, string name, JsonObject body)
    {
        var present = kind.Objects.GetValueOrDefault(KeyOf(kind, @namespace, name));
        if (present is not null) return Write(actor, "update", null, kind, name, present, body);
        var metadata = body["metadata"] as JsonObject;
        if (!kind.CreatesOnUpdate) return new(null, Refusal.NotFound(kind, name));
        if (metadata?["uid"] is { } uid)
            return new(null, Refusal.Conflict(kind, name, $"StorageError: invalid object, Precondition failed: UID in precondition: {uid}, UID in object meta: "));
        metadata?.Remove("resourceVersion");
        return Create(actor, kind, @namespace, body);
    }

    internal Answer Patch(string actor, SimKind kind, string? @namespace, string name, ApiPatch patch)
    {
        if (patch.Subresource is not null && !(patch.Subresource == "status" && kind.HasStatus))
            return new(null, new Refusal(404, "NotFound", "the server could not find the requested resource"));
        if (!kind.Objects.TryGetValue(KeyOf(kind, @namespace, name), out var present)) return new(null, Refusal.NotFound(kind, name));
        var tree = present.ToMutable();
        return Patches.Apply(tree, patch) is { } refusal ? new(null, refusal) : Write(actor, "patch", patch.Subresource, kind, name, present, tree);
    }

    /// <param name="graceSeconds">Null: as long as the object asks for; 0: at once, as a kubelet that is done does.</param>
    internal Answer Delete(string actor, SimKind kind, string? @namespace, string name, string? uid, int? graceSeconds)
    {
        var key = KeyOf(kind, @namespace, name);
        if (!kind.Objects.TryGetValue(key, out var present)) return new(null, Refusal.NotFound(kind, name));
        if (uid is not null && uid != present.Uid)
        {
            return new(null, Refusal.Conflict(kind, name, $"the UID in the precondition ({uid}) does not match the UID in record ({present.Uid}). "
                + "The object might have been deleted and then recreated"));
        }

        if (_rules.MarkDeleting(kind, present, graceSeconds) is not { } marked) return Remove(actor, "delete", kind, key, present);
        return new(ReferenceEquals(marked, ObjectRules.Unchanged) ? Tell(actor, "delete", null, kind, key, present, present)
            : Commit(actor, "delete", null, kind, key, present, marked));
    }

    private Answer Write(string actor, string verb, string? subresource, SimKind kind, string name, StoredObject present, JsonObject body)
    {
        if (ObjectRules.PrepareUpdate(kind, name, present, body, subresource, isPatch: verb == "patch") is { } refusal) return new(null, refusal);
        if (ObjectRules.IsFinished(body)) return Remove(actor, verb, kind, present.Key, present, body);
        return new(ObjectRules.IsSame(present, body) ? Tell(actor, verb, subresource, kind, present.Key, present, present)
            : Commit(actor, verb, subresource, kind, present.Key, present, body));
    }

    private Answer Remove(string actor, string verb, SimKind kind, string key, StoredObject present, JsonObject? last = null)
    {
        kind.Objects.Remove(key);
        var change = new Change(++Version, present, null);
        kind.History.Add(change);
        Written?.Invoke(new SimWrite(actor, verb, null, kind.Plural, key, present, null));
        return new(last is null ? present : StoredObject.Of(key, present.Version, last)) { IsGone = true };
    }

    private StoredObject Commit(string actor, string verb, string? subresource, SimKind kind, string key, StoredObject? before, JsonObject body)
    {
        var after = StoredObject.Of(key, ++Version, body);
        kind.Objects[key] = after;
        kind.History.Add(new Change(Version, before, after));
        return Tell(actor, verb, subresource, kind, key, before, after);
    }

    private StoredObject Tell(string actor, string verb, string? subresource, SimKind kind, string key, StoredObject? before, StoredObject after)
    {
        Written?.Invoke(new SimWrite(actor, verb, subresource, kind.Plural, key, before, after));
        return after;
    }

    private static string KeyOf(SimKind kind, string? @namespace, string name) => kind.Namespaced ? $"{@namespace}/{name}" : name;
}

/// <summary>The object or the refusal.</summary>
internal readonly record struct Answer(StoredObject? Object, Refusal? Refusal = null)
{
    /// <summary>The object was its last state.</summary>
    public bool IsGone { get; init; }
}
