using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The API server, as everything above sees it. One per process, safe for any number of callers, no client-side throttle.
/// Errors are values; only cancellation throws. It never retries by itself: callers own their retries.
/// </summary>
public interface IKubeClient
{
    Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject;

    /// <summary>One page. Go on with <see cref="ListMeta.Continue"/> until it is empty.</summary>
    Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject;

    /// <summary>Opens a watch from <see cref="ListQuery.ResourceVersion"/>, with bookmarks.</summary>
    Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject;

    Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject;

    /// <summary>Replaces the whole object. Only for kinds that nobody else writes (leases): anything else is patched.</summary>
    Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject;

    Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        where T : class, IKubeObject;

    /// <summary>No value and no error when the object is gone at once; the object when a finalizer still holds it.</summary>
    /// <returns>The object while a finalizer holds it, no value when it is gone at once.</returns>
    /// <param name="uid">When given, only the object with this uid is deleted (else Conflict).</param>
    Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
        where T : class, IKubeObject;
}

/// <summary>What to list or watch. Null namespace: all of them.</summary>
public sealed record ListQuery
{
    public string? Namespace { get; init; }
    public string? LabelSelector { get; init; }
    public string? FieldSelector { get; init; }
    public string? ResourceVersion { get; init; }
    public int? Limit { get; init; }
    public string? Continue { get; init; }
    /// <summary>Of a watch: when the server is to end it. Null: when it likes.</summary>
    public TimeSpan? Timeout { get; init; }
}

public enum PatchKind
{
    /// <summary>RFC 7396.</summary>
    Merge,
    /// <summary>RFC 6902. A failed "test" is a Conflict.</summary>
    Json,
    /// <summary>Server-side apply of YAML or JSON as field manager "kruise-image".</summary>
    Apply,
}

/// <summary>The body of a PATCH, as UTF-8.</summary>
/// <param name="Subresource">Null, or "status".</param>
public sealed record ApiPatch(PatchKind Kind, ReadOnlyMemory<byte> Body, string? Subresource = null)
{
    /// <summary>The server answers as if, and stores nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Of an apply: fields that others manage are taken over. Else they are a Conflict.</summary>
    public bool Force { get; init; } = true;
}

public enum WatchEventKind
{
    Added,
    Modified,
    /// <summary>With a <see cref="WatchEvent{T}.Message"/>: the object is there and cannot be read; only its metadata are given.</summary>
    Deleted,
    /// <summary>Only <see cref="WatchEvent{T}.ResourceVersion"/> is set.</summary>
    Bookmark,
    /// <summary>Only <see cref="WatchEvent{T}.Error"/> and <see cref="WatchEvent{T}.Message"/> are set.</summary>
    Error,
}

public readonly record struct WatchEvent<T>(WatchEventKind Kind, T? Object, string? ResourceVersion, ApiError Error = ApiError.None, string Message = "")
    where T : class;

/// <summary>An open watch. Ends (null) when the server closes it or the connection breaks; both are normal.</summary>
public interface IWatchStream<T> : IAsyncDisposable
    where T : class, IKubeObject
{
    ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken);

    /// <summary>From now on objects may share with their former versions in the cache what they have in common. A hint.</summary>
    void ShareWith(ILister<T> cache)
    {
    }
}
