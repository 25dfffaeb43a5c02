using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImageListPullJobs;

/// <summary>
/// The children of every list and our last status write of it, kept up to date by the informers' events, so that an event of one
/// job costs no look at all jobs. Knows no IO and no clock; answers with keys of lists through the sink it was given, which must
/// not block. A list that is not cached yet may have children already: they are told apart by its uid alone.
/// </summary>
public sealed class ListBoard(Action<string> enqueueList)
{
    private readonly Lock _gate = new();
    /// <summary>By the uid of the list, then by the name of the job.</summary>
    private readonly Dictionary<string, Dictionary<string, ImagePullJob>> _children = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StatusWrite<ImageListPullJobStatus>> _written = new(StringComparer.Ordinal);

    public void OnList(ImageListPullJob? before, ImageListPullJob? after)
    {
        var key = ObjectKey.Of((after ?? before)!.Metadata);
        lock (_gate)
        {
            if (before?.Metadata.Uid != after?.Metadata.Uid) _written.Remove(key);
        }

        enqueueList(key);
    }

    public void OnJob(ImagePullJob? before, ImagePullJob? after)
    {
        lock (_gate)
        {
            if (before is not null && ListOf(before) is { } former) Remove(before, former);
            if (after is not null && ListOf(after) is { } owner) Add(after, owner);
        }
    }

    public IReadOnlyCollection<ImagePullJob> ChildrenOf(string listUid)
    {
        lock (_gate) return _children.TryGetValue(listUid, out var children) ? [.. children.Values] : [];
    }

    public StatusWrite<ImageListPullJobStatus>? Written(string listKey)
    {
        lock (_gate) return _written.GetValueOrDefault(listKey);
    }

    public void NoteStatusWrite(string listKey, ImageListPullJobStatus status, DateTimeOffset now)
    {
        lock (_gate) _written[listKey] = new StatusWrite<ImageListPullJobStatus>(status, now);
    }

    private void Add(ImagePullJob job, OwnerReference list)
    {
        if (!_children.TryGetValue(list.Uid!, out var children)) _children[list.Uid!] = children = new Dictionary<string, ImagePullJob>(StringComparer.Ordinal);
        children[job.Metadata.Name!] = job;
        enqueueList(ObjectKey.Of(job.Metadata.Namespace, list.Name!));
    }

    private void Remove(ImagePullJob job, OwnerReference list)
    {
        if (!_children.TryGetValue(list.Uid!, out var children)) return;
        children.Remove(job.Metadata.Name!);
        if (children.Count == 0) _children.Remove(list.Uid!);
        enqueueList(ObjectKey.Of(job.Metadata.Namespace, list.Name!));
    }

    /// <summary>An owner has its children in its own namespace. Without "controller: true" a job only goes when the list goes.</summary>
    private static OwnerReference? ListOf(ImagePullJob job) => job.Metadata.OwnerReferences?.Find(owner =>
        owner is { Controller: true, Kind: nameof(ImageListPullJob), Name: not null, Uid: not null }
        && owner.ApiVersion?.StartsWith(Defaults.Group + "/", StringComparison.Ordinal) == true);
}
