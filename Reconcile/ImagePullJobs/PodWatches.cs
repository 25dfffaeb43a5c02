using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// One watch per unfinished job that selects by pods, filtered by the server to the job's namespace and labels: the pods of a
/// cluster are never all in memory. Started and stopped by the job's events; tells the board which nodes have such pods.
/// </summary>
public sealed class PodWatches(IKubeClient client, JobBoard board, TimeProvider clock, Random random, ILoggerFactory loggers) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PodWatch> _watches = new(StringComparer.Ordinal);

    /// <summary>Called for every event of a job, after the board has seen it.</summary>
    public void OnJob(ImagePullJob? before, ImagePullJob? after)
    {
        lock (_gate)
        {
            if (before is not null && before.Metadata.Uid != after?.Metadata.Uid) Stop(before.Metadata.Uid!);
            if (after is null) return;
            var uid = after.Metadata.Uid!;
            var selector = Wanted(after);
            if (_watches.TryGetValue(uid, out var watch) && watch.Selector == selector?.ToString()) return;
            Stop(uid);
            if (selector is not null) _watches[uid] = Start(after, selector);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var uid in _watches.Keys.ToList()) Stop(uid);
        }
    }

    private static LabelSelector? Wanted(ImagePullJob job)
    {
        if (job.Status?.CompletionTime is not null || job.Spec.PodSelector is not { } pods || Validation.ImagePullJob(job.Spec) is not null) return null;
        return LabelSelector.TryCompile(pods, out var selector, out _) ? selector : null;
    }

    private PodWatch Start(ImagePullJob job, LabelSelector selector)
    {
        var query = new ListQuery
        {
            Namespace = job.Metadata.Namespace,
            LabelSelector = selector.ToString(),
            FieldSelector = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed",
        };
        var watch = new PodWatch(board, job, query.LabelSelector, new ScopedInformer<Pod>(client, Resources.Pods, query, clock, random, loggers), clock);
        watch.Start();
        return watch;
    }

    private void Stop(string uid)
    {
        if (_watches.Remove(uid, out var watch)) watch.Dispose();
    }
}
