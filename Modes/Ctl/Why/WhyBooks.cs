using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Reconcile.SecretCopies;

namespace KruiseImage.Modes.Ctl.Why;

/// <summary>
/// A job's books as a controller that starts now would open them: the same board, filled from lists instead of watches, and asked instead
/// of reconciled. So "ctl why" cannot tell another story than the controller acts on. Reads only; nothing is ever executed.
/// </summary>
public sealed class WhyBooks(Cluster cluster, TimeProvider clock)
{
    public async Task<JobAccount> Read(ImagePullJob job, CancellationToken cancellationToken)
    {
        var nodes = new Store<Node>();
        var nodeImages = new Store<NodeImage>();
        Fill(nodes, await cluster.List(Resources.Nodes, "Node", new(), cancellationToken).ConfigureAwait(false));
        Fill(nodeImages, await cluster.List(Resources.NodeImages, CtlKinds.Nodes.Kind, NodeImageQuery.For(job.Spec), cancellationToken).ConfigureAwait(false));
        var pods = job.Spec.PodSelector is { } podSelector && LabelSelector.TryCompile(podSelector, out var labels, out _)
            ? await cluster.List(Resources.Pods, "Pod", new() { Namespace = job.Metadata.Namespace, LabelSelector = labels.ToString() }, cancellationToken).ConfigureAwait(false)
            : [];
        return Open(job, nodes, nodeImages, pods, clock.GetUtcNow());
    }

    public static JobAccount Open(ImagePullJob job, ILister<Node> nodes, ILister<NodeImage> nodeImages, IEnumerable<Pod> pods, DateTimeOffset now)
    {
        var board = new JobBoard(nodes, nodeImages, new AwaitedSecrets(), _ => { }, _ => { });
        foreach (var node in nodes.List()) board.OnNode(null, node, now);
        // One that is being deleted has no books, but its nodes can still be told.
        board.OnJob(null, job with { Metadata = job.Metadata with { DeletionTimestamp = null } }, now);
        var uid = job.Metadata.Uid ?? "";
        foreach (var node in pods.Where(pod => pod.IsActive).Select(pod => pod.Spec!.NodeName!).Distinct(StringComparer.Ordinal)) board.OnPodNode(uid, node, true, now);
        board.OnPodsListed(uid);
        return board.Explain(ObjectKey.Of(job.Metadata), now)!;
    }

    private static void Fill<T>(Store<T> store, List<T> items)
        where T : class, IKubeObject
    {
        store.Apply(new(StoreChangeKind.ListBegins));
        store.Apply(new(StoreChangeKind.LastPage, Page: items));
    }

    /// <summary>
    /// A job is first planned when its secrets are copied, or ten seconds after. Whether they are, only the controller may read; that it
    /// has planned shows in the job's status.
    /// </summary>
    private sealed class AwaitedSecrets : IPullSecrets
    {
        public IReadOnlyList<SecretReference> ReferencesFor(ImagePullJob job) => [];

        public TimeSpan WaitFor(ImagePullJob job, DateTimeOffset now)
        {
            if (job.Status is not null || job.Spec.PullSecrets is not { Count: > 0 }) return TimeSpan.Zero;
            var left = (job.Metadata.CreationTimestamp ?? now) + SecretBoard.LongestWait - now;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        public bool MayHoldCopies(string jobKey) => false;
    }
}
