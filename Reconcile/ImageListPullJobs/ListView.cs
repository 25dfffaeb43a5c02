using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImageListPullJobs;

/// <summary>All that decides about one list: itself, the jobs that it controls, which names are taken, and what we wrote last.</summary>
/// <param name="IsTaken">Whether a job of this name is in the namespace of the list, whoever made it.</param>
public sealed record ListView(
    ImageListPullJob List,
    IReadOnlyCollection<ImagePullJob> Children,
    Func<string, bool> IsTaken,
    StatusWrite<ImageListPullJobStatus>? Written)
{
    /// <summary>Null when there is no such list.</summary>
    public static ListView? Read(string key, ILister<ImageListPullJob> lists, ILister<ImagePullJob> jobs, ListBoard board)
    {
        if (!lists.TryGet(key, out var list)) return null;
        var @namespace = list.Metadata.Namespace;
        return new ListView(list, board.ChildrenOf(list.Metadata.Uid!), name => jobs.TryGet(ObjectKey.Of(@namespace, name), out _), board.Written(key));
    }
}
