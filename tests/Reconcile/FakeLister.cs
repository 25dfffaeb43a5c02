using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Reconcile;

/// <summary>A synced cache that a test writes.</summary>
public sealed class FakeLister<T> : ILister<T>
    where T : class, IKubeObject
{
    private readonly SortedDictionary<string, T> _objects = new(StringComparer.Ordinal);

    public int Count => _objects.Count;

    public bool IsSynced => true;

    public DateTimeOffset? LiveSince { get; set; } = DateTimeOffset.MinValue;

    public bool TryGet(string key, [NotNullWhen(true)] out T? value) => _objects.TryGetValue(key, out value);

    public IReadOnlyCollection<T> List() => [.. _objects.Values];

    public T? Set(string key, T? value)
    {
        _objects.Remove(key, out var before);
        if (value is not null) _objects[key] = value;
        return before;
    }
}
