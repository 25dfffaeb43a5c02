using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>A node that finished its last round of a job that never completes.</summary>
public readonly record struct FinishedRound(int Slot, string Node, DateTimeOffset FinishedAt);

/// <summary>
/// What the planner sees of one job: its books, and, once in a while (<see cref="JobPlanner.NextSweep"/>), what only a look at every
/// node can tell. Read from caches alone, under the board's lock.
/// </summary>
public sealed record JobView(
    JobLedger Ledger,
    NodeSlots Slots,
    bool IsSweep,
    DateTimeOffset? NodeImagesLiveSince,
    TimeSpan SecretsWait,
    IReadOnlyList<FinishedRound> FinishedRounds)
{
    public ImagePullJob Job => Ledger.Job;

    public static JobView Read(JobLedger ledger, NodeSlots slots, ILister<NodeImage> nodeImages, IPullSecrets secrets, bool isSweep, DateTimeOffset now)
    {
        var rounds = isSweep && ledger.CompletesNever && !ledger.IsFinished ? ReadRounds(ledger, slots, nodeImages) : [];
        return new JobView(ledger, slots, isSweep, nodeImages.LiveSince, secrets.WaitFor(ledger.Job, now), rounds);
    }

    private static List<FinishedRound> ReadRounds(JobLedger ledger, NodeSlots slots, ILister<NodeImage> nodeImages)
    {
        var rounds = new List<FinishedRound>();
        foreach (var slot in ledger.Places.In(Place.Succeeded).Concat(ledger.Places.In(Place.Failed)))
        {
            var name = slots.Name(slot);
            nodeImages.TryGet(name, out var nodeImage);
            // An entry that somebody took away is due at once.
            var finishedAt = nodeImage?.Status.FindStatus(ledger.ImageName, ledger.Tag)?.CompletionTime ?? DateTimeOffset.MinValue;
            rounds.Add(new FinishedRound(slot, name, finishedAt));
        }

        return rounds;
    }
}
