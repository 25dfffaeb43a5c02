using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;
using KruiseImage.Sim.Parts;

namespace KruiseImage.Sim.Checks;

/// <summary>
/// What must hold of each write to a NodeImage: versions never fall, a person's entry is never lost, and a status tells of nothing that
/// did not happen on the machine. It also keeps what nodes reported for jobs, against which jobs' statuses are held.
/// </summary>
internal sealed class NodeImageChecks(Cluster cluster)
{
    private readonly Dictionary<(string Uid, EntryKey Key), long> _versions = [];
    private readonly HashSet<(string JobUid, EntryKey Key, string Node)> _succeeded = [];
    private readonly Dictionary<(string JobUid, EntryKey Key), int> _successes = [];
    private readonly Dictionary<(string Node, EntryKey Key), (long Done, int Falls)> _bytes = [];

    /// <summary>Nodes that ever reported the image of the job as there.</summary>
    public int Successes(string jobUid, EntryKey key) => _successes.GetValueOrDefault((jobUid, key));

    public void OnWritten(SimWrite write)
    {
        if (write.Plural != "nodeimages" || !write.Changed || write.After is null) return;
        var before = write.Before?.Read(Resources.NodeImages);
        var after = write.After.Read(Resources.NodeImages);
        if (write.Subresource is null) CheckSpec(write.Actor, before, after);
        else CheckStatus(write.Actor, before, after);
        NoteSuccesses(after);
    }

    public static IEnumerable<(EntryKey Key, ImageTagSpec Entry)> Entries(NodeImage? nodeImage) =>
        from image in nodeImage?.Spec?.Images ?? []
        from entry in image.Value?.Tags ?? []
        select (new EntryKey(image.Key, entry.Tag!), entry);

    private void CheckSpec(string actor, NodeImage? before, NodeImage after)
    {
        foreach (var (key, entry) in Entries(after))
        {
            var known = (after.Metadata.Uid!, key);
            if (_versions.TryGetValue(known, out var version) && (entry.Version ?? 0) < version && actor != "people")
                cluster.Trace.Violate($"the version of {key} on {after.Metadata.Name} fell from {version} to {entry.Version}");
            _versions[known] = Math.Max(_versions.GetValueOrDefault(known), entry.Version ?? 0);
        }

        if (actor == "people") return;
        foreach (var (key, entry) in Entries(before).Where(entry => IsOfPerson(entry.Entry)))
            if (after.FindEntry(key.Image, key.Tag) is null && !HasExpired(before!, key, entry))
                cluster.Trace.Violate($"{actor} removed a person's entry {key} from {after.Metadata.Name}");
    }

    private static bool IsOfPerson(ImageTagSpec entry) => entry.OwnerReferences is null or [] || entry.OwnerReferences.Exists(owner => owner.Kind == nameof(NodeImage));

    /// <summary>Whoever's clock says so: they differ by minutes at most, and daemons and controllers each have their own.</summary>
    private bool HasExpired(NodeImage nodeImage, EntryKey key, ImageTagSpec entry)
    {
        var ttl = TimeSpan.FromSeconds(entry.PullPolicy?.TtlSecondsAfterFinished ?? 0);
        return nodeImage.Status.FindAnswer(key.Image, key.Tag, entry.Version ?? 0)?.CompletionTime + ttl - cluster.LargestSkew <= cluster.WallClock;
    }

    private void CheckStatus(string actor, NodeImage? before, NodeImage after)
    {
        var machine = cluster.Machines[after.Metadata.Name!];
        foreach (var (image, statuses) in after.Status?.ImageStatuses ?? [])
            foreach (var status in statuses.Tags ?? [])
            {
                var key = new EntryKey(image, status.Tag!);
                if (before?.Status.FindStatus(image, status.Tag!) == status) continue;
                CheckAnswer(actor, machine, key, status, after);
                CheckBytes(actor, machine, key, status);
            }
    }

    private void CheckAnswer(string actor, SimNode machine, EntryKey key, ImageTagStatus status, NodeImage nodeImage)
    {
        if (status.Version > _versions.GetValueOrDefault((nodeImage.Metadata.Uid!, key)))
            cluster.Trace.Violate($"{actor} answers version {status.Version} of {key}, which was never asked");
        if (status.Phase == PullPhase.Succeeded && !machine.EverHad(key.ToString(), status.ImageID ?? ""))
            cluster.Trace.Violate($"{actor} says that {key} is there as {status.ImageID}, and it never was");
        if (status.Reason == PullReason.RuntimeUnavailable && !machine.WasDown) cluster.Trace.Violate($"{actor} says that the runtime does not answer, and it always did");
        var isOfRegistry = status.Reason is PullReason.NotFound or PullReason.Auth or PullReason.RateLimited or PullReason.RegistryUnavailable;
        if (isOfRegistry && !machine.EverFailed(key.ToString(), status.Reason!)) cluster.Trace.Violate($"{actor} says {status.Reason} of {key}, and nobody told it so");
    }

    /// <summary>Bytes are those of the image, and fewer than before only when another pull of it began: each may fall once.</summary>
    private void CheckBytes(string actor, SimNode machine, EntryKey key, ImageTagStatus status)
    {
        var isBackingOff = status.Reason is not null && !PullPhase.IsFinished(status.Phase);
        if (status.NextAttemptTime is not null && !isBackingOff) cluster.Trace.Violate($"{actor} tells of a next attempt at {key}, which is {status.Phase}");
        if (status is { BytesDone: null, BytesTotal: null }) return;
        var (pulls, size) = machine.Begun(key.ToString());
        if (status.BytesTotal != size || !(status.BytesDone <= size))
            cluster.Trace.Violate($"{actor} says {status.BytesDone} of {status.BytesTotal} bytes of {key}, which has {size}");
        if (status.Phase == PullPhase.Succeeded && status.BytesDone != size) cluster.Trace.Violate($"{actor} says that {key} is there with {status.BytesDone} of {size} bytes");
        var (done, falls) = _bytes.GetValueOrDefault((machine.Name, key));
        if (status.BytesDone < done && ++falls >= pulls) cluster.Trace.Violate($"{actor} says {status.BytesDone} bytes of {key} after {done}, and no other pull of it began");
        _bytes[(machine.Name, key)] = (status.BytesDone ?? 0, falls);
    }

    /// <summary>By a status, or by joining an entry whose status is there.</summary>
    private void NoteSuccesses(NodeImage nodeImage)
    {
        foreach (var (key, entry) in Entries(nodeImage))
        {
            if (nodeImage.Status.FindAnswer(key.Image, key.Tag, entry.Version ?? 0)?.Phase != PullPhase.Succeeded) continue;
            foreach (var owner in entry.OwnerReferences ?? [])
                if (_succeeded.Add((owner.Uid ?? "", key, nodeImage.Metadata.Name!))) _successes[(owner.Uid ?? "", key)] = Successes(owner.Uid ?? "", key) + 1;
        }
    }
}
