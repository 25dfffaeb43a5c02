using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

public enum WatchPhase
{
    /// <summary>Nothing is known, or what is known is too old to go on from.</summary>
    Empty,
    /// <summary>A list is under way: the next page is wanted.</summary>
    InitPage,
    /// <summary>All is known up to <see cref="WatchState.Version"/>; a watch from there is wanted.</summary>
    InitListed,
    /// <summary>A watch is open; its next event is wanted.</summary>
    Watching,
}

/// <param name="Version">The resourceVersion up to which the store knows all.</param>
/// <param name="Continue">The token of the next page; null for the first.</param>
/// <param name="HeardSomething">Whether the open watch has sent anything.</param>
public readonly record struct WatchState(WatchPhase Phase, string? Version = null, string? Continue = null, bool HeardSomething = false);

/// <summary>What one input led to.</summary>
/// <param name="Failure">When set, the shell waits, longer each time, before it goes on.</param>
/// <param name="Ignored">Objects that cannot be read, and why; for the log.</param>
public readonly record struct WatchStep<T>(WatchState State, StoreChange<T>? Change = null, string? Failure = null, string Ignored = "")
    where T : class;

/// <summary>
/// The protocol of an informer as a function from (state, input) to (state, change of the store). Pure: the reflector asks the
/// server for what the phase wants and feeds the answer in.
/// <para>
/// Invariant: no version is skipped. A watch goes on from the last version heard, also after it broke; when the server has
/// forgotten that version (410 Gone), all is listed again while the store keeps its old content.
/// </para>
/// </summary>
public static class WatchMachine
{
    private static readonly WatchState Empty = new(WatchPhase.Empty);

    /// <summary>Empty → InitPage. Comes before the list is asked for, so that writes answered meanwhile count as newer than it.</summary>
    public static WatchStep<T> Begin<T>()
        where T : class => new(new WatchState(WatchPhase.InitPage), new StoreChange<T>(StoreChangeKind.ListBegins));

    /// <summary>InitPage → InitPage, InitListed, or Empty when the continue token expired.</summary>
    public static WatchStep<T> OnPage<T>(WatchState state, ApiResult<ObjectList<T>> page)
        where T : class
    {
        // An expired token is Gone; one that another server cannot read is merely refused, and would be again.
        if (page.Error == ApiError.Gone || (state.Continue is not null && page.Error is ApiError.Failed or ApiError.Invalid or ApiError.Unreadable))
            return new WatchStep<T>(Empty, Failure: page.Message);
        if (!page.IsOk) return new WatchStep<T>(state, Failure: page.Message);
        var (metadata, items, ignored) = (page.Value!.Metadata, page.Value.Items, page.Message);
        return string.IsNullOrEmpty(metadata.Continue)
            ? new WatchStep<T>(
                new WatchState(WatchPhase.InitListed, metadata.ResourceVersion),
                new StoreChange<T>(StoreChangeKind.LastPage, null, items, metadata.ResourceVersion), Ignored: ignored)
            : new WatchStep<T>(state with { Continue = metadata.Continue }, new StoreChange<T>(StoreChangeKind.Page, Page: items), Ignored: ignored);
    }

    /// <summary>InitListed → Watching, or Empty when the version is forgotten.</summary>
    public static WatchStep<T> OnOpened<T>(WatchState state, ApiError error, string message)
        where T : class => error switch
        {
            ApiError.None => new WatchStep<T>(new WatchState(WatchPhase.Watching, state.Version)),
            ApiError.Gone => new WatchStep<T>(Empty, Failure: message),
            _ => new WatchStep<T>(state, Failure: message),
        };

    /// <summary>Watching → Watching, InitListed when the watch ended, or Empty when the version is forgotten.</summary>
    /// <param name="event">Null: the watch ended, by the server or by the connection.</param>
    public static WatchStep<T> OnEvent<T>(WatchState state, WatchEvent<T>? @event)
        where T : class, IKubeObject
    {
        if (@event is not { } heard) return Ended<T>(state, "the watch ended without a word");
        if (heard.Kind == WatchEventKind.Error)
            return heard.Error == ApiError.Gone ? new WatchStep<T>(Empty, Failure: heard.Message) : Ended<T>(state with { HeardSomething = false }, heard.Message);

        var next = new WatchState(WatchPhase.Watching, heard.ResourceVersion ?? heard.Object?.Metadata.ResourceVersion ?? state.Version, HeardSomething: true);
        return heard.Kind switch
        {
            WatchEventKind.Added or WatchEventKind.Modified => new WatchStep<T>(next, new StoreChange<T>(StoreChangeKind.Set, heard.Object)),
            WatchEventKind.Deleted => new WatchStep<T>(next, new StoreChange<T>(StoreChangeKind.Removed, heard.Object), Ignored: heard.Message),
            WatchEventKind.Bookmark => new WatchStep<T>(next),
            _ => throw new ArgumentOutOfRangeException(nameof(@event), heard.Kind, null),
        };
    }

    /// <summary>A watch that worked ends now and then, and is opened again at once; one that never spoke is a failure.</summary>
    private static WatchStep<T> Ended<T>(WatchState state, string failure)
        where T : class => new(new WatchState(WatchPhase.InitListed, state.Version), Failure: state.HeardSomething ? null : failure);
}
