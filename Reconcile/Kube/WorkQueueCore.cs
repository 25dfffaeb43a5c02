using System.Diagnostics.CodeAnalysis;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The rules of a work queue, without threads or clock: a key waits at most once and is never processed twice at a time; one
/// that is added while it is processed waits again afterwards. Of several delays for a key the earliest wins, and adding it
/// without delay ends them. Times are counted from any fixed moment of a monotonic clock. Each operation costs O(log n).
/// Pure; the shell is <see cref="WorkQueue{TKey}"/>.
/// </summary>
public sealed class WorkQueueCore<TKey>
    where TKey : notnull
{
    private const int StaleEntriesTolerated = 64;

    private readonly Queue<TKey> _ready = new();
    private readonly HashSet<TKey> _queued = [];
    private readonly HashSet<TKey> _processing = [];
    /// <summary>Processed now, and added meanwhile.</summary>
    private readonly HashSet<TKey> _dirty = [];
    /// <summary>The valid delays. The heap may hold older ones; they are skipped when they surface.</summary>
    private readonly Dictionary<TKey, TimeSpan> _due = [];
    private PriorityQueue<TKey, TimeSpan> _heap = new();
    private readonly Dictionary<TKey, int> _failures = [];

    /// <summary>Keys that can be taken now.</summary>
    public int Ready => _ready.Count;

    /// <summary>Keys that wait for their time.</summary>
    public int Delayed => _due.Count;

    /// <summary>When the next delayed key is due.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            DropStale();
            return _heap.TryPeek(out _, out var due) ? due : null;
        }
    }

    public void Add(TKey key)
    {
        _due.Remove(key);
        if (_processing.Contains(key)) _dirty.Add(key);
        else if (_queued.Add(key)) _ready.Enqueue(key);
    }

    public void AddAt(TKey key, TimeSpan due)
    {
        if (_queued.Contains(key) || _dirty.Contains(key)) return;
        if (_due.TryGetValue(key, out var known) && known <= due) return;
        _due[key] = due;
        _heap.Enqueue(key, due);
        if (_heap.Count > 2 * _due.Count + StaleEntriesTolerated) Compact();
    }

    /// <summary>Moves the keys that are due to the ready ones.</summary>
    public void Tick(TimeSpan now)
    {
        for (DropStale(); _heap.TryPeek(out var key, out var due) && due <= now; DropStale())
        {
            _heap.Dequeue();
            Add(key);
        }
    }

    /// <summary>Takes the key that has been ready longest. It has to come back through <see cref="Finish"/>.</summary>
    public bool TryTake([MaybeNullWhen(false)] out TKey key)
    {
        if (!_ready.TryDequeue(out key)) return false;
        _queued.Remove(key);
        _processing.Add(key);
        return true;
    }

    public void Finish(TKey key)
    {
        if (!_processing.Remove(key)) throw new InvalidOperationException($"{key} was not taken");
        if (_dirty.Remove(key)) Add(key);
    }

    /// <returns>How often the key has failed in a row, this time included.</returns>
    public int CountFailure(TKey key) => _failures[key] = _failures.GetValueOrDefault(key) + 1;

    public void Forget(TKey key) => _failures.Remove(key);

    private void DropStale()
    {
        while (_heap.TryPeek(out var key, out var due) && !(_due.TryGetValue(key, out var valid) && valid == due)) _heap.Dequeue();
    }

    /// <summary>A key that is delayed and added over and over leaves an entry in the heap each time: they are swept before they pile up.</summary>
    private void Compact() => _heap = new PriorityQueue<TKey, TimeSpan>(_due.Select(delay => (delay.Key, delay.Value)));
}
