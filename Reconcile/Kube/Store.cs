using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The cache of an informer. The reflector writes it, the executor adds the answers of its own writes (<see cref="Accept"/>),
/// everybody else reads it as <see cref="ILister{T}"/>. Handlers hear each change once, in order, after the store shows it;
/// they run under the writer's lock, so they must be short and must not write to a store.
/// </summary>
public sealed class Store<T> : ILister<T>
    where T : class, IKubeObject
{
    private readonly Lock _writing = new();
    private readonly Dictionary<string, T> _objects = new(StringComparer.Ordinal);
    private Dictionary<string, T>? _relist;
    private volatile bool _isSynced;
    private long _liveSinceTicks;

    /// <summary>(before, after): null before is an appearance, null after a deletion.</summary>
    public event Action<T?, T?>? Changed;

    /// <summary>The first list is complete.</summary>
    public event Action? Synced;

    public bool IsSynced => _isSynced;

    public DateTimeOffset? LiveSince
    {
        get => Interlocked.Read(ref _liveSinceTicks) is not 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Interlocked.Exchange(ref _liveSinceTicks, value?.UtcTicks ?? 0);
    }

    public int Count
    {
        get
        {
            lock (_objects) return _objects.Count;
        }
    }

    public bool TryGet(string key, [NotNullWhen(true)] out T? value)
    {
        lock (_objects) return _objects.TryGetValue(key, out value);
    }

    public IReadOnlyCollection<T> List()
    {
        lock (_objects) return [.. _objects.Values];
    }

    /// <summary>Takes the server's answer to one of our writes. What the store knows to be newer stays.</summary>
    public void Accept(T value)
    {
        lock (_writing) Set(value);
    }

    /// <summary>Takes what the watch machine says, in its order.</summary>
    public void Apply(StoreChange<T> change)
    {
        lock (_writing)
        {
            switch (change.Kind)
            {
                case StoreChangeKind.ListBegins:
                    _relist = new Dictionary<string, T>(StringComparer.Ordinal);
                    break;
                case StoreChangeKind.Listed:
                    _relist![ObjectKey.Of(change.Object!.Metadata)] = change.Object;
                    break;
                case StoreChangeKind.ListComplete:
                    Swap(_relist!, change.ListVersion);
                    _relist = null;
                    break;
                case StoreChangeKind.Set:
                    Set(change.Object!);
                    break;
                case StoreChangeKind.Removed:
                    Remove(change.Object!);
                    break;
            }
        }
    }

    /// <summary>Brings the store to a list: objects that it lacks are gone, unless they were made after it was read.</summary>
    private void Swap(Dictionary<string, T> listed, string? listVersion)
    {
        foreach (var value in listed.Values) Set(value);
        var gone = List().Where(known => !listed.ContainsKey(ObjectKey.Of(known.Metadata)) && !IsNewer(known.Metadata.ResourceVersion, listVersion)).ToList();
        foreach (var value in gone) Remove(value);
        if (_isSynced) return;
        _isSynced = true;
        Synced?.Invoke();
    }

    private void Set(T value)
    {
        var key = ObjectKey.Of(value.Metadata);
        T? before;
        lock (_objects)
        {
            if (_objects.TryGetValue(key, out before) && IsStale(before.Metadata, value.Metadata)) return;
            _objects[key] = value;
        }

        Changed?.Invoke(before, value);
    }

    private void Remove(T value)
    {
        var key = ObjectKey.Of(value.Metadata);
        T? before;
        lock (_objects)
        {
            // The deletion of a former object must not take its successor of the same name.
            if (!_objects.TryGetValue(key, out before) || IsNewer(before.Metadata.ResourceVersion, value.Metadata.ResourceVersion)) return;
            _objects.Remove(key);
        }

        Changed?.Invoke(before, null);
    }

    /// <summary>Not newer than what we have, which happens when our own write's answer overtook the watch.</summary>
    private static bool IsStale(ObjectMeta known, ObjectMeta value) =>
        known.ResourceVersion == value.ResourceVersion || IsNewer(known.ResourceVersion, value.ResourceVersion);

    /// <summary>Versions are opaque by contract; where both are numbers, as etcd's are, they are compared.</summary>
    private static bool IsNewer(string? one, string? other) =>
        ulong.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out var left)
        && ulong.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out var right)
        && left > right;
}

public enum StoreChangeKind
{
    ListBegins,
    Listed,
    ListComplete,
    Set,
    Removed,
}

/// <summary>One step of a store's history, as the watch machine orders it.</summary>
/// <param name="ListVersion">Of a complete list: the resourceVersion it was read at.</param>
public readonly record struct StoreChange<T>(StoreChangeKind Kind, T? Object = null, string? ListVersion = null)
    where T : class;
