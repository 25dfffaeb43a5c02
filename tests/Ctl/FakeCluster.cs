using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Ctl;

/// <summary>A cluster that holds a few objects and answers one page at a time; or, with an error set, says no to everything.</summary>
internal sealed class FakeCluster(params IKubeObject[] objects) : IKubeClient
{
    private const int PageSize = 2;

    public ApiError Error { get; init; }

    /// <summary>Plural of a kind whose CRD is missing.</summary>
    public string? Unknown { get; init; }

    /// <summary>Plural of a kind that one may not read.</summary>
    public string? Forbidden { get; init; }

    private readonly List<(string Plural, RawObject Object)> _raw = [];

    /// <summary>An object of a kind that has no wire type.</summary>
    public void Add(string plural, RawObject item) => _raw.Add((plural, item));

    public List<IKubeObject> Created { get; } = [];

    public List<ListQuery> Queries { get; } = [];

    public Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        if (Refused(resource) is { } error) return Task.FromResult(new ApiResult<T>(null, error, "the server's own words"));
        var found = All<T>(resource, @namespace).Find(item => item.Metadata.Name == name);
        return Task.FromResult(found ?? new ApiResult<T>(null, ApiError.NotFound, $"{resource.Plural} \"{name}\" not found"));
    }

    public Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        Queries.Add(query);
        if (Refused(resource) is { } error) return Task.FromResult(new ApiResult<ObjectList<T>>(null, error, "the server's own words"));
        var all = All<T>(resource, query.Namespace, query.FieldSelector);
        var from = query.Continue is null ? 0 : int.Parse(query.Continue, System.Globalization.CultureInfo.InvariantCulture);
        var page = all.Skip(from).Take(PageSize).ToList();
        var next = from + page.Count < all.Count ? $"{from + page.Count}" : null;
        return Task.FromResult<ApiResult<ObjectList<T>>>(new ObjectList<T> { Items = page, Metadata = new() { Continue = next } });
    }

    public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        if (Refused(resource) is { } error) return Task.FromResult(new ApiResult<T>(null, error, "the server's own words"));
        var metadata = value.Metadata;
        if (metadata.Namespace == "missing") return Task.FromResult(new ApiResult<T>(null, ApiError.NotFound, "namespaces \"missing\" not found"));
        if (All<T>(resource, metadata.Namespace).Exists(item => item.Metadata.Name == metadata.Name))
            return Task.FromResult(new ApiResult<T>(null, ApiError.AlreadyExists, "already exists"));
        metadata = metadata with { Name = metadata.Name ?? $"{metadata.GenerateName}x7k2p", Uid = $"uid-{Created.Count + 1}" };
        IKubeObject created = value switch
        {
            ImagePullJob job => job with { Metadata = metadata },
            ImageListPullJob list => list with { Metadata = metadata },
            _ => throw new NotSupportedException(),
        };
        Created.Add(created);
        return Task.FromResult<ApiResult<T>>((T)created);
    }

    public Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    private ApiError? Refused<T>(Resource<T> resource)
        where T : class, IKubeObject => Error != ApiError.None ? Error : resource.Plural == Unknown ? ApiError.NotFound : resource.Plural == Forbidden ? ApiError.Forbidden : null;

    /// <summary>With the condition that our type keeps only the verdict of.</summary>
    private static string NodeJson(Node node) => $$$"""
        {"metadata":{{{JsonSerializer.Serialize(node.Metadata, CrdJson.Default.ObjectMeta)}}},"status":{"conditions":[
        {"type":"Ready","status":"{{{node.IsReady}}}","lastTransitionTime":"2026-11-25T11:48:00Z","message":"kubelet stopped posting node status"}]}}
        """;

    /// <summary>As raw JSON when that is what is asked for: through the wire types, as a server would send it.</summary>
    private List<T> All<T>(Resource<T> resource, string? @namespace, string? fields = null)
        where T : class, IKubeObject
    {
        var items = _raw.Where(raw => raw.Plural == resource.Plural && (@namespace is null || raw.Object.Metadata.Namespace == @namespace))
            .Select(raw => JsonSerializer.Deserialize(raw.Object.Json, resource.Type)!).ToList();
        foreach (var item in objects)
        {
            if (@namespace is not null && item.Metadata.Namespace != @namespace) continue;
            if (item is Event { InvolvedObject: var about } && fields is not null && !fields.Split(',').All(field => field == $"involvedObject.kind={about.Kind}" || field == $"involvedObject.name={about.Name}")) continue;
            var (plural, json) = item switch
            {
                ImagePullJob job => ("imagepulljobs", JsonSerializer.Serialize(job, CrdJson.Default.ImagePullJob)),
                ImageListPullJob list => ("imagelistpulljobs", JsonSerializer.Serialize(list, CrdJson.Default.ImageListPullJob)),
                NodeImage node => ("nodeimages", JsonSerializer.Serialize(node, CrdJson.Default.NodeImage)),
                Node node => ("nodes", NodeJson(node)),
                Pod pod => ("pods", JsonSerializer.Serialize(pod, CrdJson.Default.Pod)),
                Lease lease => ("leases", JsonSerializer.Serialize(lease, CrdJson.Default.Lease)),
                Event e => ("events", JsonSerializer.Serialize(e, CrdJson.Default.Event)),
                _ => throw new NotSupportedException(item.GetType().Name),
            };
            if (plural != resource.Plural) continue;
            items.Add(JsonSerializer.Deserialize(json, resource.Type)!);
        }
        return items;
    }
}
