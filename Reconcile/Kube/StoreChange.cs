namespace KruiseImage.Reconcile.Kube;

public enum StoreChangeKind
{
    /// <summary>A list is about to be asked for.</summary>
    ListBegins,
    /// <summary>A page of it; nothing shows yet.</summary>
    Page,
    /// <summary>The page that completes it: the store's content becomes the list.</summary>
    LastPage,
    /// <summary>An object appeared or changed.</summary>
    Set,
    /// <summary>An object is gone; its last state is given.</summary>
    Removed,
}

/// <summary>One step of a kind's history, as the watch machine tells it to the store.</summary>
/// <param name="ListVersion">Of the last page: the version at which the whole list was read.</param>
public readonly record struct StoreChange<T>(StoreChangeKind Kind, T? Object = null, IReadOnlyList<T>? Page = null, string? ListVersion = null)
    where T : class;
