using System.Collections.Concurrent;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Two watches: the one job by its name, and the NodeImages that may hold its entries. Of those only the job's entries are kept at
/// hand, updated one by one, so that a picture of a job over thousands of nodes costs no scan of them.
/// </summary>
public sealed class JobFeed : IJobFeed
{
    private readonly ImagePullJob _job;
    private readonly Store<ImagePullJob> _jobs = new();
    private readonly Store<NodeImage> _nodes = new();
    private readonly ConcurrentDictionary<string, PullEntry> _entries = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private JobFeed(ImagePullJob job)
    {
        _job = job;
        _jobs.Changed += (_, _) => Signal();
        _jobs.Synced += Signal;
        _nodes.Changed += OnNode;
    }

    public ImagePullJob? Job => _jobs.TryGet(ObjectKey.Of(_job.Metadata), out var job) ? job : null;

    public bool IsSynced => _jobs.IsSynced;

    public bool IsConnected => _jobs.LiveSince is not null;

    public IReadOnlyCollection<PullEntry> Entries => [.. _entries.Values];

    /// <param name="note">Told when NodeImages may not be read: the job alone is followed then.</param>
    public static async Task<JobFeed> Open(
        Cluster cluster, ImagePullJob job, Action<string> note, TimeProvider clock, CancellationToken cancellationToken)
    {
        var nodeQuery = NodeImageQuery.For(job.Spec);
        var probe = await cluster.Client.List(Resources.NodeImages, nodeQuery with { Limit = 1 }, cancellationToken).ConfigureAwait(false);
        var mayReadNodes = probe.Error is not (ApiError.Forbidden or ApiError.NotFound);
        if (!mayReadNodes) note($"single nodes are not shown: {probe.Message}");

        var feed = new JobFeed(job);
        var jobQuery = new ListQuery { Namespace = job.Metadata.Namespace, FieldSelector = $"metadata.name={job.Metadata.Name}" };
        var jobs = feed.Reflect(cluster.Client, Resources.ImagePullJobs, jobQuery, feed._jobs, clock);
        feed._running = mayReadNodes ? Task.WhenAll(jobs, feed.Reflect(cluster.Client, Resources.NodeImages, nodeQuery, feed._nodes, clock)) : jobs;
        return feed;
    }

    public async Task Changed(TimeSpan atMost, CancellationToken cancellationToken) =>
        await _changed.WaitAsync(atMost, cancellationToken).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
        _changed.Dispose();
    }

    /// <summary>Silent about its failures: the follower says so when the server is away for long.</summary>
    private Task Reflect<T>(IKubeClient client, Resource<T> resource, ListQuery query, Store<T> store, TimeProvider clock)
        where T : class, IKubeObject
    {
        var reflector = new Reflector<T>(client, resource, query, store, clock, new Random(), NullLogger<Reflector<T>>.Instance);
        return Task.Run(() => reflector.Run(_stop.Token), CancellationToken.None);
    }

    private void OnNode(NodeImage? before, NodeImage? after)
    {
        var name = (after ?? before)!.Metadata.Name!;
        var entry = after is null ? null : PullEntry.Of(after).FirstOrDefault(entry => entry.IsOwnedBy(_job.Metadata.Uid));
        if (entry is not null) _entries[name] = entry;
        else if (!_entries.TryRemove(name, out _)) return;
        Signal();
    }

    /// <summary>One pending signal is enough: whoever wakes reads everything.</summary>
    private void Signal()
    {
        lock (_changed)
        {
            if (_changed.CurrentCount == 0) _changed.Release();
        }
    }
}
