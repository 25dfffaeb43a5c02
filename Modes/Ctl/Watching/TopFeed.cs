using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>Two informers, of all NodeImages and of all jobs, that keep a <see cref="TopBoard"/> up to date. One for each "ctl top".</summary>
public sealed class TopFeed : IDisposable
{
    private readonly ScopedInformer<NodeImage> _nodes;
    private readonly ScopedInformer<ImagePullJob> _jobs;

    public TopFeed(IKubeClient client, TopBoard board, TimeProvider clock)
    {
        _nodes = new(client, Resources.NodeImages, new(), clock, new Random(), NullLoggerFactory.Instance);
        _jobs = new(client, Resources.ImagePullJobs, new(), clock, new Random(), NullLoggerFactory.Instance);
        _nodes.Store.Changed += (before, after) => board.OnNode(before, after, clock.GetUtcNow());
        _jobs.Store.Changed += board.OnJob;
    }

    public bool IsSynced => _nodes.Store.IsSynced && _jobs.Store.IsSynced;

    /// <summary>Whether the API server answers.</summary>
    public bool IsConnected => _nodes.Store.LiveSince is not null && _jobs.Store.LiveSince is not null;

    public void Start()
    {
        _nodes.Start();
        _jobs.Start();
    }

    public void Dispose()
    {
        _nodes.Dispose();
        _jobs.Dispose();
    }
}
