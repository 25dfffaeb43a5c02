using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>A NodeImage's status made of its entries (contract 2.5). Pure; called by the pull table, which hands them over in the order of the status.</summary>
internal static class StatusSummary
{
    public static NodeImageStatus Of(IReadOnlyCollection<PullState> entries, FirstSyncStatus? firstSync)
    {
        var images = new Dictionary<string, ImageStatus>(StringComparer.Ordinal);
        foreach (var state in entries)
        {
            if (!images.TryGetValue(state.Entry.Key.Image, out var image)) images[state.Entry.Key.Image] = image = new ImageStatus { Tags = [] };
            image.Tags!.Add(state.Status());
        }
        return new NodeImageStatus
        {
            Desired = entries.Count,
            Succeeded = Count(entries, PullPhase.Succeeded),
            Failed = Count(entries, PullPhase.Failed),
            Pulling = Count(entries, PullPhase.Pulling),
            Waiting = Count(entries, PullPhase.Waiting),
            ImageStatuses = images.Count == 0 ? null : images,
            FirstSyncStatus = firstSync,
        };
    }

    /// <summary>Set once in the life of a NodeImage: when all that it was first asked for had ended.</summary>
    public static FirstSyncStatus? FirstSync(IReadOnlyCollection<PullState> entries, DateTimeOffset now)
    {
        if (entries.Count == 0 || entries.Any(state => !state.IsFinished)) return null;
        int succeeded = Count(entries, PullPhase.Succeeded), failed = Count(entries, PullPhase.Failed);
        return new FirstSyncStatus
        {
            SyncAt = PullState.WholeSeconds(now),
            Status = failed == 0 ? PullPhase.Succeeded : PullPhase.Failed,
            Message = failed == 0 ? $"{succeeded} pulled" : $"{succeeded} pulled, {failed} failed",
        };
    }

    private static int Count(IReadOnlyCollection<PullState> entries, string phase) => entries.Count(state => state.Phase == phase);
}
