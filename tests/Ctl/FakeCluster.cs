using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Ctl;

/// <summary>A cluster that holds a few objects and answers one page at a time; or, with an error set, says no to everything.</summary>
internal sealed class FakeCluster(params IKubeObject[] objects) : IKubeClient
{
    private const int PageSize = 2;

    public ApiError Error { get; init; }

    /// <summary>Plural of a kind whose CRD is missing.</summary>
    public string? Unknown { get; init; }

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
        var all = All<T>(resource, query.Namespace);
        var from = query.Continue is null ? 0 : int.Parse(query.Continue, System.Globalization.CultureInfo.InvariantCulture);
        var page = all.Skip(from).Take(PageSize).ToList();
        var next = from + page.Count < all.Count ? $"{from + page.Count}" : null;
        return Task.FromResult<ApiResult<ObjectList<T>>>(new ObjectList<T> { Items = page, Metadata = new() { Continue = next } });
    }

    public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        if (Refused(resource) is { } error) return Task.FromResult(new ApiResult<T>(null, error, "the server's own words"));
        if (value is not ImagePullJob job) throw new NotSupportedException();
        if (job.Metadata.Namespace == "missing") return Task.FromResult(new ApiResult<T>(null, ApiError.NotFound, "namespaces \"missing\" not found"));
        if (All<T>(resource, job.Metadata.Namespace).Exists(item => item.Metadata.Name == job.Metadata.Name))
            return Task.FromResult(new ApiResult<T>(null, ApiError.AlreadyExists, "already exists"));
        job = job with { Metadata = job.Metadata with { Name = job.Metadata.Name ?? $"{job.Metadata.GenerateName}x7k2p", Uid = Samples.Uid } };
        Created.Add(job);
        return Task.FromResult<ApiResult<T>>((T)(IKubeObject)job);
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
        where T : class, IKubeObject => Error != ApiError.None ? Error : resource.Plural == Unknown ? ApiError.NotFound : null;

    /// <summary>As raw JSON when that is what is asked for: through the wire types, as a server would send it.</summary>
    private List<T> All<T>(Resource<T> resource, string? @namespace)
        where T : class, IKubeObject
    {
        var items = new List<T>();
        foreach (var item in objects)
        {
            if (@namespace is not null && item.Metadata.Namespace != @namespace) continue;
            var isWanted = (item is ImagePullJob && resource.Plural == "imagepulljobs") || (item is NodeImage && resource.Plural == "nodeimages");
            if (!isWanted) continue;
            var json = item is ImagePullJob job
                ? System.Text.Json.JsonSerializer.Serialize(job, CrdJson.Default.ImagePullJob)
                : System.Text.Json.JsonSerializer.Serialize((NodeImage)item, CrdJson.Default.NodeImage);
            items.Add(System.Text.Json.JsonSerializer.Deserialize(json, resource.Type)!);
        }
        return items;
    }
}
