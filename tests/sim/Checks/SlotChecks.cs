using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;
using KruiseImage.Sim.Engine;
using KruiseImage.Sim.Parts;

namespace KruiseImage.Sim.Checks;

/// <summary>
/// Reservations never exceed parallelism (contract 3.2), seen from outside: at the moment in which a controller makes a job the owner of
/// an entry, so gives a node a slot, fewer than that many other nodes may be at work for it. A node counts as at work from its own
/// dispatch until its daemon reports an end, unless something gave the controller reason to think otherwise: the node was not ready or
/// changed its labels, its daemon was silent for as long as the planner allows, the job was edited, or the controller's own clock stood
/// still or jumped.
/// </summary>
internal sealed class SlotChecks(Cluster cluster)
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, TimeSpan> _jobEdited = [];
    private readonly Dictionary<string, TimeSpan> _nodeChanged = [];
    private readonly Dictionary<string, TimeSpan> _statusWritten = [];
    private readonly Dictionary<(string JobUid, EntryKey Key, string Node), TimeSpan> _dispatched = [];

    /// <summary>Dispatches that were held against the rule.</summary>
    public int Checked { get; private set; }

    private TimeSpan Now => cluster.Schedule.Now;

    public void OnWritten(SimWrite write)
    {
        if (!write.Changed) return;
        switch (write.Plural)
        {
            case "nodes":
                _nodeChanged[write.Key] = Now;
                break;
            case "imagepulljobs" when write.Before is not null && write.After is not null && Generation(write.Before) != Generation(write.After):
                _jobEdited[write.After.Read(Resources.ImagePullJobs).Metadata.Uid!] = Now;
                break;
            case "nodeimages" when write.Subresource == "status":
                _statusWritten[write.Key] = Now;
                NoteEnds(write.After!.Read(Resources.NodeImages));
                break;
            case "nodeimages" when write.After is not null && write.Actor.StartsWith("controller", StringComparison.Ordinal):
                Dispatched(write.Actor, write.Before?.Read(Resources.NodeImages), write.After.Read(Resources.NodeImages));
                break;
            default:
                break;
        }
    }

    private static long? Generation(StoredObject stored) => stored.Read(Resources.ImagePullJobs).Metadata.Generation;

    private void Dispatched(string actor, NodeImage? before, NodeImage after)
    {
        foreach (var (key, entry) in NodeImageChecks.Entries(after))
            foreach (var owner in entry.OwnerReferences ?? [])
            {
                if (owner.Kind != nameof(ImagePullJob) || before.FindEntry(key.Image, key.Tag)?.IsOwnedBy(owner.Uid!) == true) continue;
                Check(actor, owner, key, after.Metadata.Name!);
                _dispatched[(owner.Uid!, key, after.Metadata.Name!)] = Now;
            }
    }

    /// <summary>What a node came to for a job stands, also when another job has it pull again.</summary>
    private void NoteEnds(NodeImage nodeImage)
    {
        foreach (var (key, entry) in NodeImageChecks.Entries(nodeImage))
            if (nodeImage.Status.FindAnswer(key.Image, key.Tag, entry.Version ?? 0) is { } answer && PullPhase.IsFinished(answer.Phase))
                foreach (var owner in entry.OwnerReferences ?? []) _dispatched.Remove((owner.Uid ?? "", key, nodeImage.Metadata.Name!));
    }

    private void Check(string actor, ObjectReference owner, EntryKey key, string node)
    {
        if (cluster.Server.Find(Resources.ImagePullJobs, owner.Namespace, owner.Name!) is not { } job || job.Metadata.Uid != owner.Uid) return;
        var host = cluster.Controllers.Single(controller => controller.Name == actor).Host!;
        if (Since(_jobEdited.GetValueOrDefault(owner.Uid!, TimeSpan.MinValue)) < Network.Settled || Since(host.DisturbedAt) < Network.Settled) return;
        if (job.Spec.PodSelector is not null || job.Spec.Parallelism?.Text is not null || Defaults.CompletesNever(job.Spec.CompletionPolicy)) return;
        var parallelism = job.Spec.Parallelism?.Count ?? Defaults.Parallelism;
        var busy = cluster.Server.Objects(Resources.NodeImages).Where(other => other.Metadata.Name != node && IsBusy(other, job, key)).Select(other => other.Metadata.Name).ToList();
        Checked++;
        if (busy.Count >= parallelism)
            cluster.Trace.Violate($"{actor} gives {node} a slot for {ObjectKey.Of(job.Metadata)} (parallelism {parallelism}) while {string.Join(", ", busy)} are at work");
    }

    private bool IsBusy(NodeImage nodeImage, ImagePullJob job, EntryKey key)
    {
        var name = nodeImage.Metadata.Name!;
        if (nodeImage.FindEntry(key.Image, key.Tag) is not { } entry || !entry.IsOwnedBy(job.Metadata.Uid!)) return false;
        if (!_dispatched.TryGetValue((job.Metadata.Uid!, key, name), out var dispatched)) return false;
        if (_nodeChanged.GetValueOrDefault(name) + Network.Settled > dispatched) return false;
        var answer = nodeImage.Status.FindAnswer(key.Image, key.Tag, entry.Version ?? 0);
        if (answer is not null && PullPhase.IsFinished(answer.Phase)) return false;
        if (answer is null) return Since(dispatched) < JobPlanner.ResponseTimeout - Margin;
        return Since(_statusWritten.GetValueOrDefault(name)) < Defaults.Timeout(job.Spec.PullPolicy?.TimeoutSeconds) - Margin;
    }

    private TimeSpan Since(TimeSpan moment) => moment == TimeSpan.MinValue ? TimeSpan.MaxValue : Now - moment;
}
