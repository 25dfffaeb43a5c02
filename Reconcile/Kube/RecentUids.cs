namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The uids of the last objects that went away; the oldest is forgotten. Lets a store refuse the answer to a write that overtakes
/// the object's deletion. An answer is at most a request's timeout late, so a few thousand are plenty.
/// </summary>
public sealed class RecentUids
{
    private const int Capacity = 4096;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public bool Contains(string? uid) => uid is not null && _known.Contains(uid);

    public void Add(string? uid)
    {
        if (uid is null || !_known.Add(uid)) return;
        _order.Enqueue(uid);
        if (_order.Count > Capacity) _known.Remove(_order.Dequeue());
    }
}
