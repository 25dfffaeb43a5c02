using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>Where one node stands in a job, and why.</summary>
/// <param name="Reason">One of <see cref="PullReason"/> where the books have one; else empty.</param>
/// <param name="Message">The words that go with it.</param>
/// <param name="Since">When the daemon was asked, or began, or ended; null when nothing tells.</param>
/// <param name="Before">Of a waiting node: how many get a slot before it.</param>
/// <param name="Answer">What the daemon says of the entry as it is now.</param>
public sealed record NodeAccount(string Node, Place Place, string Reason, string Message, DateTimeOffset? Since = null, int Before = 0, ImageTagStatus? Answer = null);

/// <summary>
/// The books of one job, for people: what the planner would do about each node and the reason it has. Read from the same view, by the
/// same rules, so that what is told is what is done. Pure. "ctl why" opens books of its own from lists and asks them; what a controller
/// alone remembers (since when a daemon is silent) is told from the times in the objects.
/// </summary>
/// <param name="Stops">What holds the whole job up, in the planner's words; null when each node has a reason of its own.</param>
/// <param name="Nodes">By name; those that are not of the job are among them.</param>
public sealed record JobAccount(ImagePullJob Job, string? Stops, int Parallelism, int Active, int Waiting, IReadOnlyList<NodeAccount> Nodes)
{
    public static JobAccount Of(JobView view, ILister<Node> nodes, ILister<NodeImage> nodeImages, DateTimeOffset now)
    {
        var (ledger, places) = (view.Ledger, view.Ledger.Places);
        var failed = (ledger.Job.Status?.FailedNodes ?? []).ToHashSet(StringComparer.Ordinal);
        var accounts = ledger.IsFinished
            ? nodes.List().Select(node => node.Metadata.Name!).Union(ledger.NamedNodes, StringComparer.Ordinal).Union(failed, StringComparer.Ordinal)
                .Select(name => Finished(ledger, name, failed.Contains(name), Find(nodes, name), Find(nodeImages, name)))
            : Unfinished(view, nodes, nodeImages, now);
        var stops = ledger.IsFinished ? null
            : ledger.Invalid is { } sentence ? sentence
            : ledger.AwaitsPods ? JobPlanner.AwaitsPods
            : view.SecretsWait > TimeSpan.Zero ? JobPlanner.AwaitsSecrets
            : null;
        return new JobAccount(
            ledger.Job, stops, JobPlanner.Parallelism(ledger.Job, places.Desired), places.Count(Place.Active), places.Count(Place.Waiting),
            [.. accounts.OrderBy(account => account.Node, StringComparer.Ordinal)]);
    }

    private static IEnumerable<NodeAccount> Unfinished(JobView view, ILister<Node> nodes, ILister<NodeImage> nodeImages, DateTimeOffset now)
    {
        var turns = view.Ledger.Places.InTurn(Place.Waiting, view.Ledger.FirstSlot).Select((slot, before) => (slot, before)).ToDictionary(turn => turn.slot, turn => turn.before);
        for (var slot = 0; slot < view.Slots.Capacity; slot++)
        {
            if (!view.Slots.TryGetName(slot, out var name)) continue;
            yield return Of(view.Ledger, slot, name, Find(nodes, name), Find(nodeImages, name), turns.GetValueOrDefault(slot), now);
        }
    }

    private static NodeAccount Of(JobLedger ledger, int slot, string name, Node? node, NodeImage? nodeImage, int before, DateTimeOffset now)
    {
        var entry = nodeImage.FindEntry(ledger.ImageName, ledger.Tag);
        var answer = entry is null ? null : nodeImage?.Status.FindAnswer(ledger.ImageName, ledger.Tag, entry.Version ?? 0);
        switch (ledger.Places[slot])
        {
            case Place.Waiting:
                return new(name, Place.Waiting, "", "", Before: before);
            case Place.Held:
                return new(name, Place.Held, ledger.Holds[slot].Reason, JobStatusWriter.HoldMessage(ledger.Holds[slot].Reason));
            case Place.Active:
                var isSilent = answer is null && now - entry?.CreatedAt >= JobPlanner.ResponseTimeout;
                return new(
                    name, Place.Active, isSilent ? PullReason.DaemonNotResponding : answer?.Reason ?? "",
                    isSilent ? JobStatusWriter.HoldMessage(PullReason.DaemonNotResponding) : answer?.Message ?? "", answer?.StartTime ?? entry?.CreatedAt, Answer: answer);
            case Place.Failed:
                return new(name, Place.Failed, ledger.Failures[slot].Reason, ledger.Failures[slot].Message, answer?.CompletionTime, Answer: answer);
            case Place.Succeeded:
                return new(name, Place.Succeeded, "", answer?.Message ?? "", answer?.CompletionTime, Answer: answer);
            default:
                return new(name, Place.NotDesired, "", ledger.WhyNotDesired(node));
        }
    }

    /// <summary>The books of a finished job are closed: its status tells, and the entries while they are kept.</summary>
    private static NodeAccount Finished(JobLedger ledger, string name, bool hasFailed, Node? node, NodeImage? nodeImage)
    {
        var status = ledger.Job.Status!;
        var entry = nodeImage.FindEntry(ledger.ImageName, ledger.Tag);
        var answer = entry?.IsOwnedBy(ledger.Uid) is true ? nodeImage?.Status.FindAnswer(ledger.ImageName, ledger.Tag, entry.Version ?? 0) : null;
        var groups = status.Failures ?? [];
        if (!hasFailed)
        {
            if (!ledger.Desires(name, node)) return new(name, Place.NotDesired, "", ledger.WhyNotDesired(node));
            return node?.Metadata.CreationTimestamp > status.CompletionTime
                ? new(name, Place.NotDesired, "", "the node is younger than the end of the job")
                : new(name, Place.Succeeded, "", answer?.Message ?? "", answer?.CompletionTime, Answer: answer);
        }

        if (answer?.Phase == PullPhase.Failed) return new(name, Place.Failed, answer.Reason ?? PullReason.Unknown, answer.Message ?? "", answer.CompletionTime, Answer: answer);
        // A group names ten of its nodes; of the others only their being among the failed is known.
        var group = groups.Find(group => group.Nodes?.Contains(name) is true) ?? (groups is [var only] ? only : null);
        return new(name, Place.Failed, group?.Reason ?? PullReason.Unknown, group?.Message ?? "the job's status does not tell which of its reasons this node had", status.CompletionTime);
    }

    private static T? Find<T>(ILister<T> lister, string name)
        where T : class, IKubeObject => lister.TryGet(name, out var value) ? value : null;
}
