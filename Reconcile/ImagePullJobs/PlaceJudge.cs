using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>A place, and what goes with it: the reason and message of a hold or failure, the message and digest of a success.</summary>
public readonly record struct Verdict(Place Place, string Reason = "", string Message = "", string ImageID = "", bool Acknowledged = false);

/// <summary>Decides where one node stands in one job, from what the caches say of that node. Pure.</summary>
public static class PlaceJudge
{
    public static Verdict Judge(JobLedger job, int slot, string name, Node? node, NodeImage? nodeImage)
    {
        if (!job.Desires(name, node)) return new Verdict(Place.NotDesired);
        var place = job.Places[slot];
        if (place is Place.Succeeded or Place.Failed) return new Verdict(place); // what a node reached for a job is never taken back

        var answered = Answer(job, slot, nodeImage);
        if (answered?.Phase == PullPhase.Succeeded) return new Verdict(Place.Succeeded, Message: answered.Message ?? "", ImageID: answered.ImageID ?? "");
        if (answered?.Phase == PullPhase.Failed)
            return new Verdict(Place.Failed, answered.Reason ?? PullReason.Unknown, answered.Message ?? "the daemon gave no reason");

        if (node is null) return new Verdict(Place.Held, PullReason.NodeNotFound);
        if (!node.IsReady) return new Verdict(Place.Held, PullReason.NodeNotReady);
        if (place == Place.Held && job.Holds[slot].Reason == PullReason.DaemonNotResponding) return new Verdict(place, PullReason.DaemonNotResponding);
        if (!IsOwned(job, slot, nodeImage) && !nodeImage.HasRoomFor(job.ImageName, job.Tag)) return new Verdict(Place.Held, PullReason.NodeImageFull);
        if (place == Place.Active || IsOwned(job, slot, nodeImage)) return new Verdict(Place.Active, Acknowledged: answered is not null);
        return new Verdict(Place.Waiting);
    }

    /// <summary>The daemon's answer to the entry's present version, if the job owns the entry.</summary>
    private static ImageTagStatus? Answer(JobLedger job, int slot, NodeImage? nodeImage)
    {
        if (!IsOwned(job, slot, nodeImage)) return null;
        var version = nodeImage.FindEntry(job.ImageName, job.Tag)!.Version ?? 0;
        return nodeImage?.Status.FindAnswer(job.ImageName, job.Tag, version);
    }

    private static bool IsOwned(JobLedger job, int slot, NodeImage? nodeImage) =>
        nodeImage.FindEntry(job.ImageName, job.Tag) is { } entry
        && (entry.Version ?? 0) > job.Rounds.GetValueOrDefault(slot, -1)
        && entry.IsOwnedBy(job.Uid);
}
