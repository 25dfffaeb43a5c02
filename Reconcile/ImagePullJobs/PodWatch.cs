using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>The pods of one job, counted by node. Says nothing any more once it is disposed.</summary>
public sealed class PodWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _pods = new(StringComparer.Ordinal);
    private readonly ScopedInformer<Pod> _informer;
    private readonly JobBoard _board;
    private readonly string _jobUid;
    private readonly TimeProvider _clock;
    private bool _isStopped;

    public PodWatch(JobBoard board, ImagePullJob job, string selector, ScopedInformer<Pod> informer, TimeProvider clock)
    {
        (_board, _jobUid, _informer, _clock) = (board, job.Metadata.Uid!, informer, clock);
        Selector = selector;
        informer.Store.Changed += OnPod;
        informer.Store.Synced += OnListed;
    }

    public string Selector { get; }

    public void Start() => _informer.Start();

    public void Dispose()
    {
        lock (_gate) _isStopped = true;
        _informer.Dispose();
    }

    private void OnPod(Pod? before, Pod? after)
    {
        lock (_gate)
        {
            if (_isStopped) return;
            var from = before is { IsActive: true } ? before.Spec!.NodeName : null;
            var to = after is { IsActive: true } ? after.Spec!.NodeName : null;
            if (from == to) return;
            if (to is not null) Count(to, 1);
            if (from is not null) Count(from, -1);
        }
    }

    private void OnListed()
    {
        lock (_gate)
        {
            if (!_isStopped) _board.OnPodsListed(_jobUid);
        }
    }

    private void Count(string node, int change)
    {
        var pods = _pods[node] = _pods.GetValueOrDefault(node) + change;
        if (pods == 0) _pods.Remove(node);
        if (pods == 0 || (pods == 1 && change > 0)) _board.OnPodNode(_jobUid, node, pods > 0, _clock.GetUtcNow());
    }
}
