using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// How many nodes hold which digest, kept as nodes report: one byte per node, an index into the few digests of the job. More
/// than 254 different ones are counted together under the last.
/// </summary>
public sealed class DigestTally
{
    private readonly List<(string ImageID, int Count)> _digests = [];
    private byte[] _bySlot = [];

    public void Set(int slot, string imageID)
    {
        Unset(slot);
        var index = _digests.FindIndex(digest => digest.ImageID == imageID);
        if (index < 0 && _digests.Count < 254)
        {
            index = _digests.Count;
            _digests.Add((imageID, 0));
        }

        if (index < 0) index = _digests.Count - 1;
        _digests[index] = (_digests[index].ImageID, _digests[index].Count + 1);
        if (slot >= _bySlot.Length) Array.Resize(ref _bySlot, Math.Max(slot + 1, Math.Max(16, _bySlot.Length * 2)));
        _bySlot[slot] = (byte)(index + 1);
    }

    public void Unset(int slot)
    {
        if (slot >= _bySlot.Length || _bySlot[slot] == 0) return;
        var index = _bySlot[slot] - 1;
        _digests[index] = (_digests[index].ImageID, _digests[index].Count - 1);
        _bySlot[slot] = 0;
    }

    /// <summary>Most nodes first, then by digest; null when there is none.</summary>
    public List<DigestCount>? ToStatus()
    {
        var counts = _digests.Where(digest => digest.Count > 0).Select(digest => new DigestCount { ImageID = digest.ImageID, Count = digest.Count })
            .OrderByDescending(digest => digest.Count).ThenBy(digest => digest.ImageID, StringComparer.Ordinal).ToList();
        return counts.Count == 0 ? null : counts;
    }

    public void Clear()
    {
        _digests.Clear();
        _bySlot = [];
    }
}
