using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The cache of an informer. Its reflector writes it (<see cref="Apply"/>), the executor adds the answers of its own writes
/// (<see cref="Accept"/>), everybody else reads it as <see cref="ILister{T}"/>.
/// <para>
/// Handlers of <see cref="Changed"/> hear each change once and in order, after readers can see it, and before the writer goes on:
/// when Accept returns, whatever is derived from the store knows the write. They run under the lock of the writers (never under
/// that of the readers), so they must be short and must not write to this store; doing so throws.
/// </para>
/// Invariant: an object's version never falls while a watch lasts, and a deleted object does not come back by a late answer.
/// </summary>
public sealed class Store<T> : ILister<T>
    where T : class, IKubeObject
{
    private readonly Lock _writing = new();
    private readonly Lock _reading = new();
    private readonly Dictionary<string, T> _objects = new(StringComparer.Ordinal);
    private Relist? _relist;
    /// <summary>All that happened up to here is in the store: an object of this version or below that it lacks is gone.</summary>
    private string? _version;
    private volatile bool _isSynced;
    private long _liveSinceTicks;

    /// <summary>(before, after): null before is an appearance, null after a deletion.</summary>
    public event Action<T?, T?>? Changed;

    /// <summary>The first list is complete. Raised once, after the changes of that list.</summary>
    public event Action? Synced;

    public bool IsSynced => _isSynced;

    /// <summary>Set by the reflector.</summary>
    public DateTimeOffset? LiveSince
    {
        get => Interlocked.Read(ref _liveSinceTicks) is not 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Interlocked.Exchange(ref _liveSinceTicks, value?.UtcTicks ?? 0);
    }

    public int Count
    {
        get
        {
            lock (_reading) return _objects.Count;
        }
    }

    public bool TryGet(string key, [NotNullWhen(true)] out T? value)
    {
        lock (_reading) return _objects.TryGetValue(key, out value);
    }

    public IReadOnlyCollection<T> List()
    {
        lock (_reading) return [.. _objects.Values];
    }

    /// <summary>Takes the server's answer to one of our writes. What the store knows to be newer, or to be deleted, stays so.</summary>
    public void Accept(T value)
    {
        EnterWriter();
        try
        {
            var key = ObjectKey.Of(value.Metadata);
            var isKnown = _objects.TryGetValue(key, out var known);
            if (isKnown ? !ResourceVersion.Supersedes(value.Metadata, known!.Metadata) : ResourceVersion.IsWithin(value.Metadata, _version)) return;
            _relist?.AcceptedMeanwhile.Add(key);
            Set(key, known, value);
        }
        finally
        {
            _writing.Exit();
        }
    }

    /// <summary>Takes the next step of the history that the watch machine tells. One caller: the reflector.</summary>
    public void Apply(StoreChange<T> change)
    {
        EnterWriter();
        try
        {
            switch (change.Kind)
            {
                case StoreChangeKind.ListBegins:
                    _relist = new Relist();
                    break;
                case StoreChangeKind.Page:
                    Collect(change.Page!);
                    break;
                case StoreChangeKind.LastPage:
                    Collect(change.Page!);
                    Swap(_relist!, change.ListVersion);
                    break;
                case StoreChangeKind.Set:
                    ApplySet(change.Object!);
                    break;
                case StoreChangeKind.Removed:
                    ApplyRemoved(change.Object!.Metadata);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(change), change.Kind, null);
            }
        }
        finally
        {
            _writing.Exit();
        }
    }

    private void EnterWriter()
    {
        if (_writing.IsHeldByCurrentThread) throw new InvalidOperationException("a handler of Changed must not write to its store");
        _writing.Enter();
    }

    private void Collect(IReadOnlyList<T> page)
    {
        foreach (var value in page) _relist!.Objects[ObjectKey.Of(value.Metadata)] = value;
    }

    /// <summary>
    /// Brings the store to a complete list, in one go. The list is the truth even where its versions are lower (a restored etcd),
    /// except about objects that our own writes changed after it was asked for and after it was read.
    /// </summary>
    private void Swap(Relist relist, string? version)
    {
        (_relist, _version) = (null, version);
        foreach (var (key, value) in relist.Objects)
        {
            _objects.TryGetValue(key, out var known);
            var isNews = known is null || (relist.AcceptedMeanwhile.Contains(key)
                ? ResourceVersion.Supersedes(value.Metadata, known.Metadata)
                : !ResourceVersion.IsSame(value.Metadata, known.Metadata));
            if (isNews) Set(key, known, value);
        }

        foreach (var known in List())
        {
            var key = ObjectKey.Of(known.Metadata);
            var isNewer = relist.AcceptedMeanwhile.Contains(key) && !ResourceVersion.IsWithin(known.Metadata, version);
            if (!relist.Objects.ContainsKey(key) && !isNewer) Remove(key, known);
        }

        if (_isSynced) return;
        _isSynced = true;
        Synced?.Invoke();
    }

    private void ApplySet(T value)
    {
        Advance(value.Metadata);
        var key = ObjectKey.Of(value.Metadata);
        if (_objects.TryGetValue(key, out var known) && !ResourceVersion.Supersedes(value.Metadata, known.Metadata)) return;
        Set(key, known, value);
    }

    private void ApplyRemoved(ObjectMeta removed)
    {
        Advance(removed);
        var key = ObjectKey.Of(removed);
        // The deletion of a former object must not take its successor of the same name, which an answer may have brought already.
        if (_objects.TryGetValue(key, out var known) && !ResourceVersion.IsOlder(removed, known.Metadata)) Remove(key, known);
    }

    private void Advance(ObjectMeta seen)
    {
        if (!ResourceVersion.IsOlder(seen.ResourceVersion, _version)) _version = seen.ResourceVersion;
    }

    private void Set(string key, T? before, T after)
    {
        lock (_reading) _objects[key] = after;
        Changed?.Invoke(before, after);
    }

    private void Remove(string key, T before)
    {
        lock (_reading) _objects.Remove(key);
        Changed?.Invoke(before, null);
    }

    /// <summary>A list under way: readers see the old content until it is complete.</summary>
    private sealed class Relist
    {
        public Dictionary<string, T> Objects { get; } = new(StringComparer.Ordinal);
        public HashSet<string> AcceptedMeanwhile { get; } = new(StringComparer.Ordinal);
    }
}
