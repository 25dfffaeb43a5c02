namespace KruiseImage.Reconcile;

/// <summary>Remembers keys for a while: bounded by what happens within the period, and swept as it is written.</summary>
public sealed class RecentSet(TimeSpan period)
{
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly Queue<(string Key, DateTimeOffset At)> _order = new();

    public bool Contains(string key) => _keys.Contains(key);

    public void Add(string key, DateTimeOffset now)
    {
        while (_order.TryPeek(out var oldest) && now - oldest.At > period) _keys.Remove(_order.Dequeue().Key);
        if (_keys.Add(key)) _order.Enqueue((key, now));
    }
}
