namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The rules of a work queue, without threads or clock: a key waits at most once, is never in two hands, and when it is added
/// while in a hand it waits again afterwards. Of several delays for one key the earliest wins. Pure; the shell is
/// <see cref="WorkQueue{TKey}"/>.
/// </summary>
public sealed class WorkQueueCore<TKey>
    where TKey : notnull
{
    private readonly Queue<TKey> _ready = new();
    private readonly HashSet<TKey> _waiting = [];
    private readonly HashSet<TKey> _inHand = [];
    private readonly HashSet<TKey> _again = [];
    private readonly Dictionary<TKey, DateTimeOffset> _due = [];
    private readonly PriorityQueue<TKey, DateTimeOffset> _delayed = new();
    private readonly Dictionary<TKey, int> _failures = [];

    public int Ready => _ready.Count;

    /// <summary>When the next delayed key is due.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            DropStale();
            return _delayed.TryPeek(out _, out var due) ? due : null;
        }
    }

    public void Add(TKey key)
    {
        _due.Remove(key);
        if (_inHand.Contains(key)) _again.Add(key);
        else if (_waiting.Add(key)) _ready.Enqueue(key);
    }

    public void AddAt(TKey key, DateTimeOffset due)
    {
        if (_waiting.Contains(key) || _again.Contains(key) || (_due.TryGetValue(key, out var known) && known <= due)) return;
        _due[key] = due;
        _delayed.Enqueue(key, due);
    }

    /// <summary>Moves what is due to the ready keys.</summary>
    public void Tick(DateTimeOffset now)
    {
        for (DropStale(); _delayed.TryPeek(out var key, out var due) && due <= now; DropStale())
        {
            _delayed.Dequeue();
            Add(key);
        }
    }

    public bool TryTake(out TKey? key)
    {
        if (!_ready.TryDequeue(out key)) return false;
        _waiting.Remove(key);
        _inHand.Add(key);
        return true;
    }

    /// <summary>Gives a key back.</summary>
    public void Finish(TKey key)
    {
        if (!_inHand.Remove(key)) throw new InvalidOperationException($"{key} is in no hand");
        if (_again.Remove(key)) Add(key);
    }

    /// <returns>How often the key has failed in a row, this time included.</returns>
    public int CountFailure(TKey key) => _failures[key] = _failures.GetValueOrDefault(key) + 1;

    public void Forget(TKey key) => _failures.Remove(key);

    /// <summary>A key that was added earlier than its delay leaves its old place in the heap behind.</summary>
    private void DropStale()
    {
        while (_delayed.TryPeek(out var key, out var due) && (!_due.TryGetValue(key, out var valid) || valid != due)) _delayed.Dequeue();
    }
}
