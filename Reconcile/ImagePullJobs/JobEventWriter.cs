using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// Puts what became of a job's pulls into events of the job: one for the nodes that succeeded, one for each reason of failure, each
/// with the number of nodes as its count. They follow from two statuses, so they are told as often as the status is written, and
/// a restart repeats nothing. Pure.
/// </summary>
public static class JobEventWriter
{
    public static IEnumerable<RecordTotal> Results(JobView view, ImagePullJobStatus? before, ImagePullJobStatus after)
    {
        var ledger = view.Ledger;
        var image = ImageReference.ForRuntime(ledger.ImageName, ledger.Tag);
        // The first success is news, and the last; what is between shows in the status.
        if (after.Succeeded > 0 && (before is null or { Succeeded: 0 } || after.CompletionTime is not null))
            yield return new RecordTotal(ledger.Owner, false, PullEvent.Succeeded, "", after.Succeeded, $"{image} is on {after.Succeeded} of {after.Desired} nodes{Last(ledger)}");
        foreach (var group in after.Failures ?? [])
        {
            if (before?.Failures?.Find(known => known.Reason == group.Reason)?.Count == group.Count) continue;
            var text = $"{image} failed on {group.Count} of {after.Desired} nodes, {group.Reason}; {group.Nodes?.FirstOrDefault()}: {group.Message}";
            yield return new RecordTotal(ledger.Owner, true, PullEvent.Failed, group.Reason, group.Count, text);
        }
    }

    private static string Last(JobLedger ledger) => ledger.LastSuccess is { Message.Length: > 0 } last ? $"; {last.Node}: {last.Message}" : "";
}
