using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// The books of all unfinished jobs, kept up to date by the informers' events. An event about one node costs O(jobs with an
/// entry on that node); only a Node that appears, goes, changes labels or readiness is shown to every job. Knows no IO and no
/// clock: it is told the time, and answers with keys through the two sinks it was given, which must not block.
/// </summary>
public sealed class JobBoard(
    ILister<Node> nodes, ILister<NodeImage> nodeImages, IPullSecrets secrets, Action<string> enqueueJob, Action<string> enqueueNode) : IClaims
{
    private readonly Lock _gate = new();
    private readonly NodeSlots _slots = new();
    private readonly Dictionary<string, JobLedger> _ledgers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _uids = new(StringComparer.Ordinal);
    private readonly RecentSet _gone = new(TimeSpan.FromMinutes(10));
    private readonly NodeAttachments _attached = new();

    /// <summary>Where the nodes of all unfinished jobs stand: place, and why when that is Held or Failed. A node counts once for each job.</summary>
    public Dictionary<(Place Place, string Reason), int> CountNodes()
    {
        lock (_gate) return JobLedger.CountNodes(_ledgers.Values);
    }

    public void OnJob(ImagePullJob? before, ImagePullJob? after, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (before is not null && before.Metadata.Uid != after?.Metadata.Uid) Forget(before, now);
            if (after is null) return;
            if (after.Metadata.DeletionTimestamp is not null)
            {
                Forget(after, now); // somebody's finalizer may hold the object for long; its pulls stop now
                return;
            }

            var uid = after.Metadata.Uid ?? "";
            if (!_ledgers.TryGetValue(uid, out var ledger))
            {
                _ledgers[uid] = ledger = new JobLedger(after);
                _uids[ledger.Key] = uid;
            }

            var edit = ledger.Observe(after);
            if (edit != JobEdit.None) ledger.PullSecrets = secrets.ReferencesFor(after);
            Apply(ledger, edit, now);
            enqueueJob(ledger.Key);
        }
    }

    public void OnNode(Node? before, Node? after, DateTimeOffset now)
    {
        lock (_gate)
        {
            var name = (after ?? before)!.Metadata.Name!;
            var relabelled = !Labels.Same(before?.Metadata.Labels, after?.Metadata.Labels);
            var replaced = before?.Metadata.Uid != after?.Metadata.Uid;
            if (relabelled || replaced) enqueueNode(name);
            if (!relabelled && !replaced && before?.IsReady == after?.IsReady) return; // a heartbeat
            var slot = _slots.Take(name);
            foreach (var ledger in _ledgers.Values) Refresh(ledger, slot, now);
            if (after is null) ReleaseSlot(name);
        }
    }

    public void OnNodeImage(NodeImage? before, NodeImage? after, DateTimeOffset now)
    {
        lock (_gate)
        {
            var name = (after ?? before)!.Metadata.Name!;
            var hasSlot = _slots.TryGet(name, out var slot);
            if (hasSlot && before is not null && before.Metadata.Generation == after?.Metadata.Generation) NoteSign(slot, now);
            if (before is not null && after is not null && NodeImageEntries.OnlyProgressed(before, after)) return;
            enqueueNode(name);
            if (!hasSlot) return; // no Node and no job speaks of it
            if (after is not null && before?.Metadata.Uid != after.Metadata.Uid) ForgetReached(slot, now);
            var isRewritten = before?.Metadata.Generation != after?.Metadata.Generation || before?.Metadata.Uid != after?.Metadata.Uid;
            if (isRewritten) RefreshOwners(before, slot, now); // else both name the same owners
            RefreshOwners(after, slot, now);
            if (isRewritten)
                foreach (var ledger in _attached.At(slot).ToArray()) Refresh(ledger, slot, now); // the last room may have been taken, or given back
            if (after is null) ReleaseSlot(name);
        }
    }

    /// <summary>A node got its first matching pod, or lost its last.</summary>
    public void OnPodNode(string jobUid, string node, bool hasPods, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (!_ledgers.TryGetValue(jobUid, out var ledger) || ledger.PodNodes is not { } known) return;
            if (hasPods ? !known.Add(node) : !known.Remove(node)) return;
            Refresh(ledger, _slots.Take(node), now);
            if (!hasPods) ReleaseSlot(node);
        }
    }

    /// <summary>All pods that match now have been told.</summary>
    public void OnPodsListed(string jobUid)
    {
        lock (_gate)
        {
            if (!_ledgers.TryGetValue(jobUid, out var ledger) || !ledger.AwaitsPods) return;
            ledger.PodsKnown = true;
            ledger.ChooseFirstSlot();
            EnqueueEntriesOf(ledger); // those of nodes that have no such pod any more were kept until now
            enqueueJob(ledger.Key);
        }
    }

    /// <summary>Plans one job on the books as they stand. Null when there is no such job.</summary>
    public Plan? PlanJob(string key, DateTimeOffset now) => Look(key, ledger =>
    {
        var view = View(ledger, now >= ledger.NextSweep, now);
        if (view.IsSweep) ledger.NextSweep = JobPlanner.NextSweep(view, now);
        return JobPlanner.Plan(view, now);
    });

    /// <summary>Plans what of one job needs no server: <see cref="JobPlanner.PlanSlots"/>. Null when there is no such job.</summary>
    public Plan? PlanSlots(string key, DateTimeOffset now) => Look(key, ledger => JobPlanner.PlanSlots(View(ledger, false, now), now));

    /// <summary>The same books in words: where each node stands and why. Null when there is no such job.</summary>
    public JobAccount? Explain(string key, DateTimeOffset now) => Look(key, ledger => JobAccount.Of(View(ledger, false, now), nodes, nodeImages, now));

    /// <summary>Two plans may have found the same slot free: it is given once.</summary>
    public void Dispatch(string jobUid, IReadOnlyList<int> slots, DateTimeOffset now) => Each(jobUid, slots, (ledger, slot) =>
    {
        var isFree = ledger.Places.Count(Place.Active) < JobPlanner.Parallelism(ledger.Job, ledger.Places.Desired);
        if (isFree && ledger.Places[slot] == Place.Waiting) Enter(ledger, slot, new Verdict(Place.Active), now);
    });

    public void HoldSilent(string jobUid, IReadOnlyList<int> slots, DateTimeOffset now) => Each(jobUid, slots, (ledger, slot) =>
    {
        if (ledger.Places[slot] == Place.Active) Enter(ledger, slot, new Verdict(Place.Held, PullReason.DaemonNotResponding), now);
    });

    public void StartRound(string jobUid, IReadOnlyList<int> slots, DateTimeOffset now) => Each(jobUid, slots, (ledger, slot) =>
    {
        if (ledger.Places[slot] is not (Place.Succeeded or Place.Failed)) return;
        nodeImages.TryGet(_slots.Name(slot), out var nodeImage);
        ledger.Rounds[slot] = nodeImage.FindEntry(ledger.ImageName, ledger.Tag)?.Version ?? -1;
        Enter(ledger, slot, new Verdict(Place.Waiting), now);
        Refresh(ledger, slot, now);
    });

    public void NoteStatusWrite(string jobKey, ImagePullJobStatus status, DateTimeOffset now)
    {
        lock (_gate) if (_uids.TryGetValue(jobKey, out var uid)) _ledgers[uid].Written = new StatusWrite<ImagePullJobStatus>(status, now);
    }

    public IReadOnlyList<PullClaim> On(string node)
    {
        lock (_gate)
        {
            if (!_slots.TryGet(node, out var slot)) return [];
            return [.. _attached.At(slot).Where(ledger => ledger.Places[slot] == Place.Active).Select(ledger => ledger.ClaimOn(slot))];
        }
    }

    public OwnerStanding Standing(ObjectReference owner, string node, string imageName, string tag)
    {
        if (owner.Kind != nameof(ImagePullJob) || owner.ApiVersion?.StartsWith(Defaults.Group + "/", StringComparison.Ordinal) != true) return OwnerStanding.Foreign;
        lock (_gate)
        {
            if (!_ledgers.TryGetValue(owner.Uid ?? "", out var ledger)) return _gone.Contains(owner.Uid ?? "") ? OwnerStanding.Gone : OwnerStanding.Unknown;
            if (ledger.IsFinished) return OwnerStanding.Finished;
            if (!ledger.Wants(imageName, tag) || !_slots.TryGet(node, out var slot)) return OwnerStanding.Released;
            if (ledger.AwaitsPods) return OwnerStanding.Holds; // a new leader must not take back what the former gave
            return ledger.Places[slot] switch
            {
                Place.Active or Place.Succeeded or Place.Failed => OwnerStanding.Holds,
                Place.Waiting when ledger.Rounds.ContainsKey(slot) => OwnerStanding.Holds, // its last result stays until the next round
                _ => OwnerStanding.Released,
            };
        }
    }

    private T? Look<T>(string key, Func<JobLedger, T> at)
        where T : class
    {
        lock (_gate) return _uids.TryGetValue(key, out var uid) ? at(_ledgers[uid]) : null;
    }

    private JobView View(JobLedger ledger, bool isSweep, DateTimeOffset now) => JobView.Read(ledger, _slots, nodeImages, secrets, isSweep, now);

    private void Each(string jobUid, IReadOnlyList<int> slots, Action<JobLedger, int> act)
    {
        lock (_gate)
        {
            if (!_ledgers.TryGetValue(jobUid, out var ledger) || ledger.IsFinished) return;
            foreach (var slot in slots) act(ledger, slot);
        }
    }

    private void Apply(JobLedger ledger, JobEdit edit, DateTimeOffset now)
    {
        if (ledger.IsFinished || edit == JobEdit.Image) Clear(ledger);
        if (ledger.IsFinished || edit == JobEdit.None) return;
        if (edit == JobEdit.Policy)
        {
            foreach (var slot in ledger.Places.In(Place.Active)) enqueueNode(_slots.Name(slot));
            return;
        }

        foreach (var name in ledger.NamedNodes) _slots.Take(name);
        foreach (var node in nodes.List()) _slots.Take(node.Metadata.Name!);
        for (var slot = 0; slot < _slots.Capacity; slot++)
            if (_slots.TryGetName(slot, out _)) Refresh(ledger, slot, now);
        ledger.ChooseFirstSlot();
    }

    private void Forget(ImagePullJob job, DateTimeOffset now)
    {
        var uid = job.Metadata.Uid ?? "";
        _gone.Add(uid, now);
        enqueueJob(ObjectKey.Of(job.Metadata)); // its finalizer goes, also when it is first seen while it is being deleted
        if (!_ledgers.Remove(uid, out var ledger)) return;
        if (_uids.TryGetValue(ledger.Key, out var current) && current == uid) _uids.Remove(ledger.Key);
        if (ledger.IsFinished) EnqueueEntriesOf(ledger);
        Clear(ledger);
        foreach (var name in ledger.NamedNodes) ReleaseSlot(name);
    }

    /// <summary>Closes the books and lets every NodeImage that may hold an entry of the job look again.</summary>
    private void Clear(JobLedger ledger)
    {
        for (var slot = 0; slot < _slots.Capacity; slot++)
        {
            if (ledger.Places[slot] is Place.NotDesired or Place.Waiting || !_slots.TryGetName(slot, out var name)) continue;
            _attached.Remove(ledger, slot);
            enqueueNode(name);
        }

        ledger.ClearNodes();
    }

    /// <summary>Where the books do not tell, the entries of a job are looked up: once in its life, or of its podSelector's.</summary>
    private void EnqueueEntriesOf(JobLedger ledger)
    {
        foreach (var nodeImage in nodeImages.List())
            if (nodeImage.HasEntryOwnedBy(ledger.Uid)) enqueueNode(nodeImage.Metadata.Name!);
    }

    private void RefreshOwners(NodeImage? nodeImage, int slot, DateTimeOffset now)
    {
        if (nodeImage?.Spec?.Images is not { } images) return;
        foreach (var image in images.Values)
            foreach (var entry in image?.Tags ?? [])
                foreach (var owner in entry.OwnerReferences ?? [])
                    if (_ledgers.TryGetValue(owner.Uid ?? "", out var ledger)) Refresh(ledger, slot, now);
    }

    private void Refresh(JobLedger ledger, int slot, DateTimeOffset now)
    {
        if (ledger.IsFinished) return;
        var name = _slots.Name(slot);
        nodes.TryGet(name, out var node);
        nodeImages.TryGet(name, out var nodeImage);
        Enter(ledger, slot, PlaceJudge.Judge(ledger, slot, name, node, nodeImage), now);
    }

    /// <summary>Moves a node to its place and keeps the books that go with it.</summary>
    private void Enter(JobLedger ledger, int slot, Verdict verdict, DateTimeOffset now)
    {
        var (from, to) = (ledger.Places[slot], verdict.Place);
        if (to == Place.Active && verdict.Acknowledged && ledger.Dispatches.TryGetValue(slot, out var dispatch) && !dispatch.Acknowledged)
            ledger.Dispatches[slot] = new Dispatch(now, true);
        if (from == to && !(to == Place.Held && ledger.Holds[slot].Reason != verdict.Reason)) return;

        ledger.Places.Move(slot, to);
        ledger.Dispatches.Remove(slot);
        ledger.Holds.Remove(slot);
        ledger.Failures.Remove(slot);
        ledger.Digests.Unset(slot);
        _attached.Remove(ledger, slot);
        if (to == Place.Active) ledger.Dispatches[slot] = new Dispatch(now, verdict.Acknowledged);
        if (to == Place.Held) ledger.Holds[slot] = new Hold(verdict.Reason, now);
        if (to == Place.Failed) ledger.Failures[slot] = new NodeFailure(verdict.Reason, verdict.Message);
        if (to == Place.Succeeded) ledger.LastSuccess = new NodeSuccess(_slots.Name(slot), verdict.Message);
        if (to == Place.Succeeded && verdict.ImageID.Length > 0) ledger.Digests.Set(slot, verdict.ImageID);
        if (to is Place.Succeeded or Place.Failed or Place.NotDesired) ledger.Rounds.Remove(slot);
        if (to == Place.Active || verdict.Reason is PullReason.DaemonNotResponding or PullReason.NodeImageFull) _attached.Add(ledger, slot);
        if (to is not (Place.Succeeded or Place.Failed) && from is not Place.NotDesired || to == Place.Active) enqueueNode(_slots.Name(slot));
        enqueueJob(ledger.Key);
    }

    /// <summary>There is a new NodeImage: its node was replaced, or somebody threw the former away. What was reached then is not reached here.</summary>
    private void ForgetReached(int slot, DateTimeOffset now)
    {
        foreach (var ledger in _ledgers.Values.Where(ledger => !ledger.IsFinished && ledger.Places[slot] is Place.Succeeded or Place.Failed))
        {
            Enter(ledger, slot, new Verdict(Place.NotDesired), now);
            Refresh(ledger, slot, now);
        }
    }

    /// <summary>The daemon of the node wrote a status: it lives.</summary>
    private void NoteSign(int slot, DateTimeOffset now)
    {
        foreach (var ledger in _attached.At(slot).ToArray())
        {
            if (ledger.Dispatches.TryGetValue(slot, out var dispatch) && dispatch.Acknowledged) ledger.Dispatches[slot] = dispatch with { LastSign = now };
            if (ledger.Places[slot] == Place.Held && ledger.Holds[slot].Reason == PullReason.DaemonNotResponding) Enter(ledger, slot, new Verdict(Place.Waiting), now);
        }
    }

    private void ReleaseSlot(string name)
    {
        if (!_slots.TryGet(name, out var slot) || nodes.TryGet(name, out _) || nodeImages.TryGet(name, out _)) return;
        foreach (var ledger in _ledgers.Values)
            if (ledger.Places[slot] != Place.NotDesired) return;
        _slots.Release(name);
    }
}
