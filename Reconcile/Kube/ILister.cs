using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>The read-only side of an informer's cache. Keys as <see cref="ObjectKey"/> makes them.</summary>
public interface ILister<T>
    where T : class, IKubeObject
{
    bool TryGet(string key, [NotNullWhen(true)] out T? value);

    /// <summary>A moment's view, in no order.</summary>
    IReadOnlyCollection<T> List();

    int Count { get; }

    /// <summary>Whether the first list is complete. It never becomes false again.</summary>
    bool IsSynced { get; }

    /// <summary>Since when the watch has been open without a break; null while it is not.</summary>
    DateTimeOffset? LiveSince { get; }
}
