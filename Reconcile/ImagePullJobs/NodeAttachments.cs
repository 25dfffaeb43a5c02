namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>By node slot: the jobs that have reserved it or wait for its silent daemon. Few, so an event about a node stays cheap.</summary>
public sealed class NodeAttachments
{
    private readonly Dictionary<int, List<JobLedger>> _ledgers = [];

    public IReadOnlyList<JobLedger> At(int slot) => _ledgers.TryGetValue(slot, out var attached) ? attached : [];

    public void Add(JobLedger ledger, int slot)
    {
        if (!_ledgers.TryGetValue(slot, out var attached)) _ledgers[slot] = attached = [];
        attached.Add(ledger);
    }

    public void Remove(JobLedger ledger, int slot)
    {
        if (!_ledgers.TryGetValue(slot, out var attached) || !attached.Remove(ledger)) return;
        if (attached.Count == 0) _ledgers.Remove(slot);
    }
}
