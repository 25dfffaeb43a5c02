using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

public enum WatchState
{
    /// <summary>A list begins.</summary>
    Empty,
    /// <summary>Pages of a list are still missing.</summary>
    Listing,
    /// <summary>Everything up to a version is known; no watch is open.</summary>
    Listed,
    Watching,
}

/// <summary>What the shell has to do next.</summary>
public enum WatchRequest
{
    List,
    OpenWatch,
    ReadWatch,
}

/// <summary>
/// The informer's protocol as an explicit state machine: which request comes next, and what an answer means for the store. Pure;
/// the reflector performs the requests. Invariant: the store's content is always one that the server had, or is on its way to
/// one; a version is never skipped; after 410 everything is listed again, and the old content stays until the new is complete.
/// </summary>
public sealed class WatchMachine<T>(ListQuery query, int pageSize)
    where T : class, IKubeObject
{
    private string? _continue;
    private string? _version;

    public WatchState State { get; private set; } = WatchState.Empty;

    public WatchRequest Next => State switch
    {
        WatchState.Empty or WatchState.Listing => WatchRequest.List,
        WatchState.Listed => WatchRequest.OpenWatch,
        _ => WatchRequest.ReadWatch,
    };

    public ListQuery Query => State is WatchState.Empty or WatchState.Listing
        ? query with { Limit = pageSize, Continue = _continue }
        : query with { ResourceVersion = _version };

    public IEnumerable<StoreChange<T>> OnPage(ApiResult<ObjectList<T>> page)
    {
        if (!page.IsOk)
        {
            // An expired continue token, or a server that forgot the version between pages.
            if (page.Error == ApiError.Gone) Restart();
            yield break;
        }

        if (State == WatchState.Empty) yield return new StoreChange<T>(StoreChangeKind.ListBegins);
        State = WatchState.Listing;
        foreach (var item in page.Value!.Items) yield return new StoreChange<T>(StoreChangeKind.Listed, item);
        _continue = page.Value.Metadata.Continue;
        _version = page.Value.Metadata.ResourceVersion;
        if (!string.IsNullOrEmpty(_continue)) yield break;
        State = WatchState.Listed;
        yield return new StoreChange<T>(StoreChangeKind.ListComplete, ListVersion: _version);
    }

    public void OnOpened(ApiError error)
    {
        if (error == ApiError.None) State = WatchState.Watching;
        else if (error == ApiError.Gone) Restart();
    }

    /// <summary>Null: the server closed the watch, or the connection broke.</summary>
    public StoreChange<T>? OnEvent(WatchEvent<T>? change)
    {
        if (change is not { } known || (known.Kind == WatchEventKind.Error && known.Error != ApiError.Gone))
        {
            State = WatchState.Listed;
            return null;
        }

        if (known.Kind == WatchEventKind.Error)
        {
            Restart();
            return null;
        }

        _version = known.ResourceVersion ?? known.Object?.Metadata.ResourceVersion ?? _version;
        return known.Kind switch
        {
            WatchEventKind.Added or WatchEventKind.Modified => new StoreChange<T>(StoreChangeKind.Set, known.Object),
            WatchEventKind.Deleted => new StoreChange<T>(StoreChangeKind.Removed, known.Object),
            _ => null,
        };
    }

    private void Restart()
    {
        State = WatchState.Empty;
        _continue = null;
        _version = null;
    }
}
