using System.Collections.Concurrent;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Watches: the jobs of each namespace in question (of one job alone by its name), its lists, and the NodeImages that may hold
/// entries of theirs. Of those only the entries are kept at hand, updated one by one, so that a picture of jobs over thousands of nodes
/// costs no scan of them.
/// </summary>
public sealed class FollowFeed : IFollowFeed
{
    private readonly Dictionary<string, Store<ImagePullJob>> _jobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Store<ImageListPullJob>> _lists = new(StringComparer.Ordinal);
    private readonly Store<NodeImage> _nodes = new();
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, PullEntry>> _entries = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    private FollowFeed(TimeProvider clock) => _nodes.Changed += (before, after) => OnNode(before, after, clock.GetUtcNow());

    public bool IsSynced => _jobs.Values.All(store => store.IsSynced) && _lists.Values.All(store => store.IsSynced);

    public bool IsConnected => _jobs.Values.All(store => store.LiveSince is not null) && _lists.Values.All(store => store.LiveSince is not null);

    public ImagePullJob? Job(string? @namespace, string name) =>
        _jobs.TryGetValue(@namespace ?? "", out var store) && store.TryGet(ObjectKey.Of(@namespace, name), out var job) ? job : null;

    public ImageListPullJob? List(string? @namespace, string name) =>
        _lists.TryGetValue(@namespace ?? "", out var store) && store.TryGet(ObjectKey.Of(@namespace, name), out var list) ? list : null;

    public IEnumerable<ImagePullJob> JobsOf(ImageListPullJob list) => _jobs.TryGetValue(list.Metadata.Namespace ?? "", out var store)
        ? store.List().Where(job => ListDescription.Owns(list, job))
        : [];

    public IReadOnlyCollection<PullEntry> Entries(string uid) => _entries.TryGetValue(uid, out var entries) ? [.. entries.Values] : [];

    /// <param name="note">Told when NodeImages may not be read: the jobs alone are followed then.</param>
    public static async Task<FollowFeed> Open(
        Cluster cluster, IReadOnlyList<IKubeObject> targets, Action<string> note, TimeProvider clock, CancellationToken cancellationToken)
    {
        var nodeQueries = targets.Select(target => NodeImageQuery.For(JobWords.TemplateOf(target))).Distinct().ToList();
        var nodeQuery = nodeQueries is [var one] ? one : new();
        var probe = await cluster.Client.List(Resources.NodeImages, nodeQuery with { Limit = 1 }, cancellationToken).ConfigureAwait(false);
        var mayReadNodes = probe.Error is not (ApiError.Forbidden or ApiError.NotFound);
        if (!mayReadNodes) note($"single nodes are not shown: {probe.Message}");

        var feed = new FollowFeed(clock);
        foreach (var group in targets.GroupBy(target => target.Metadata.Namespace ?? "", StringComparer.Ordinal))
        {
            var query = new ListQuery { Namespace = group.Key };
            var jobQuery = group.ToList() is [ImagePullJob single] ? query with { FieldSelector = $"metadata.name={single.Metadata.Name}" } : query;
            feed.Reflect(cluster.Client, Resources.ImagePullJobs, jobQuery, feed._jobs[group.Key] = new(), clock);
            if (group.OfType<ImageListPullJob>().Any()) feed.Reflect(cluster.Client, Resources.ImageListPullJobs, query, feed._lists[group.Key] = new(), clock);
        }
        if (mayReadNodes) feed.Reflect(cluster.Client, Resources.NodeImages, nodeQuery, feed._nodes, clock);
        return feed;
    }

    public async Task Changed(TimeSpan atMost, CancellationToken cancellationToken) =>
        await _changed.WaitAsync(atMost, cancellationToken).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running).ConfigureAwait(false);
        _stop.Dispose();
        _changed.Dispose();
    }

    /// <summary>Silent about its failures: the follower says so when the server is away for long.</summary>
    private void Reflect<T>(IKubeClient client, Resource<T> resource, ListQuery query, Store<T> store, TimeProvider clock)
        where T : class, IKubeObject
    {
        store.Changed += (_, _) => Signal();
        store.Synced += Signal;
        var reflector = new Reflector<T>(client, resource, query, store, clock, new Random(), NullLogger<Reflector<T>>.Instance);
        _running.Add(Task.Run(() => reflector.Run(_stop.Token), CancellationToken.None));
    }

    private void OnNode(NodeImage? before, NodeImage? after, DateTimeOffset at)
    {
        var name = (after ?? before)!.Metadata.Name!;
        var now = after is null ? [] : OwnersOf(after).ToList();
        foreach (var (uid, entry) in now)
        {
            var entries = _entries.GetOrAdd(uid, _ => new(StringComparer.Ordinal));
            entries[name] = entry.Measured(entries.GetValueOrDefault(name), at);
        }
        if (before is null) return;
        foreach (var uid in OwnersOf(before).Select(owner => owner.Uid).Except(now.Select(owner => owner.Uid)))
            if (_entries.TryGetValue(uid, out var entries)) entries.TryRemove(name, out _);
    }

    private static IEnumerable<(string Uid, PullEntry Entry)> OwnersOf(NodeImage node) =>
        from entry in PullEntry.Of(node)
        from owner in entry.Spec.OwnerReferences ?? []
        where owner.Uid is not null
        select (owner.Uid!, entry);

    /// <summary>One pending signal is enough: whoever wakes reads everything.</summary>
    private void Signal()
    {
        lock (_changed)
        {
            if (_changed.CurrentCount == 0) _changed.Release();
        }
    }
}
