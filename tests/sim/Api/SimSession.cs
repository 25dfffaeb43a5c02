using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>
/// The server as one of its clients sees it: IKubeClient without the waiting. Objects go through the product's own JSON both ways, and
/// refusals through its own mapping.
/// </summary>
public sealed class SimSession(SimApiServer server, string actor)
{
    public string Actor => actor;

    public ApiResult<T> Get<T>(Resource<T> resource, string? @namespace, string name)
        where T : class, IKubeObject
    {
        var kind = Begin("get", resource);
        return kind.Objects.TryGetValue(ObjectKey.Of(kind.Namespaced ? @namespace : null, name), out var stored) ? Typed(resource, stored) : Refusal.NotFound(kind, name).As<T>();
    }

    public ApiResult<T> Create<T>(Resource<T> resource, T value)
        where T : class, IKubeObject => Create(resource, Tree(resource, value));

    /// <summary>With all that our types do not know: a pod's containers, a node's conditions. Takes the tree.</summary>
    public ApiResult<T> Create<T>(Resource<T> resource, JsonObject value)
        where T : class, IKubeObject
    {
        var @namespace = (value["metadata"] as JsonObject)?["namespace"]?.GetValue<string>();
        return Typed(resource, server.Create(actor, Begin("create", resource), @namespace, value));
    }

    public ApiResult<T> Update<T>(Resource<T> resource, T value)
        where T : class, IKubeObject =>
        Typed(resource, server.Update(actor, Begin("update", resource), value.Metadata.Namespace, value.Metadata.Name!, Tree(resource, value)));

    public ApiResult<T> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch)
        where T : class, IKubeObject
    {
        var testsState = patch.Kind == PatchKind.Json && patch.Body.Span.IndexOf("\"test\""u8) >= 0;
        return Typed(resource, server.Patch(actor, Begin("patch", resource), @namespace, name, patch), testsState);
    }

    /// <summary>No value and no error when the object is gone at once.</summary>
    /// <param name="graceSeconds">0 from a kubelet that has ended the pod.</param>
    public ApiResult<T> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, int? graceSeconds = null)
        where T : class, IKubeObject
    {
        var kind = Begin("delete", resource);
        var answer = server.Delete(actor, kind, @namespace, name, uid, graceSeconds);
        return answer is { IsGone: true } && !kind.ReturnsDeleted ? new ApiResult<T>(null, ApiError.None) : Typed(resource, answer);
    }

    public ApiResult<ObjectList<T>> List<T>(Resource<T> resource, ListQuery query)
        where T : class, IKubeObject
    {
        var kind = Begin("list", resource);
        if (Listing.Read(server, kind, query, out var page) is { } refusal) return refusal.As<ObjectList<T>>();
        var items = new List<T>(page.Items.Count);
        var ignored = "";
        foreach (var stored in page.Items)
        {
            if (stored.Read(resource.Type, out var why) is { } typed) items.Add(typed);
            else if (UnreadableObject.Remains(stored.Json, resource.Type) is { } remains)
                ignored += (ignored.Length == 0 ? "" : "; ") + UnreadableObject.Sentence(remains.Metadata, why ?? "");
        }

        var metadata = new ListMeta { ResourceVersion = SimApiServer.Text(page.Version), Continue = page.Continue };
        return new ApiResult<ObjectList<T>>(new ObjectList<T> { Metadata = metadata, Items = items }, ApiError.None, ignored);
    }

    public ApiResult<SimWatch<T>> Watch<T>(Resource<T> resource, ListQuery query)
        where T : class, IKubeObject
    {
        var kind = Begin("watch", resource);
        if (Selectors.TryParse(kind, query.Namespace, query.LabelSelector, query.FieldSelector, out var selectors) is { } refusal) return refusal.As<SimWatch<T>>();
        if (!Listing.TryVersion(query.ResourceVersion, out var version))
            return Refusal.BadRequest($"Invalid value: \"{query.ResourceVersion}\": strconv.ParseUint: parsing \"{query.ResourceVersion}\": invalid syntax").As<SimWatch<T>>();
        return new SimWatch<T>(server, kind, resource, selectors, version);
    }

    private SimKind Begin<T>(string verb, Resource<T> resource)
        where T : class, IKubeObject
    {
        var kind = server.Kind(resource.Plural);
        server.Count(actor, verb, kind);
        return kind;
    }

    private static JsonObject Tree<T>(Resource<T> resource, T value)
        where T : class, IKubeObject => JsonObject.Create(StoredObject.Parse(JsonSerializer.SerializeToUtf8Bytes(value, resource.Type)))!;

    private static ApiResult<T> Typed<T>(Resource<T> resource, Answer answer, bool testsState = false)
        where T : class, IKubeObject => answer.Refusal is { } refusal ? refusal.As<T>(testsState) : Typed(resource, answer.Object!);

    private static ApiResult<T> Typed<T>(Resource<T> resource, StoredObject stored)
        where T : class, IKubeObject => stored.Read(resource.Type, out var why) is { } typed ? typed
            : new ApiResult<T>(null, ApiError.Unreadable, $"the API server answered {resource.Plural} {stored.Key} with what is not understood: {why}");
}
