using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImageListPullJobs;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Reconcile.NodeImages;
using KruiseImage.Reconcile.SecretCopies;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>
/// The controller, wired: informers fill the stores, the stores tell the board, the board queues keys, the loops reconcile them
/// while the lease is held. Every replica keeps its caches and books warm, so taking over costs no list. Decides nothing.
/// </summary>
public sealed partial class Controller : IDisposable
{
    /// <summary>Concurrent writes of NodeImages. A job over thousands of nodes is bound by this and the server.</summary>
    private const int NodeWorkers = 32;

    private const int SlotWorkers = 1; // it never waits
    private const int JobWorkers = 4;
    private const int ListWorkers = 2;

    private const int SecretWorkers = 4;

    private readonly ControllerSettings _settings;
    private readonly IKubeClient _client;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly Store<Node> _nodes = new();
    private readonly Store<NodeImage> _nodeImages = new();
    private readonly Store<ImagePullJob> _jobs = new();
    private readonly Store<ImageListPullJob> _lists = new();
    private readonly Store<Secret> _copies = new();
    /// <summary>Jobs that something happened to; from here they come to <see cref="_jobKeys"/>.</summary>
    private readonly WorkQueue<string> _slotKeys;
    private readonly WorkQueue<string> _jobKeys;
    private readonly WorkQueue<string> _listKeys;
    private readonly WorkQueue<string> _nodeNames;
    private readonly WorkQueue<string> _secretKeys;
    private readonly JobBoard _board;
    private readonly ListBoard _listBoard;
    private readonly PodWatches _podWatches;
    private readonly SecretBoard _secrets;
    private readonly SecretWatches _secretWatches;
    private readonly EventRecorder _events;

    /// <summary>Null: there is no election.</summary>
    private readonly LeaderElector? _elector;

    public Controller(ControllerSettings settings, IKubeClient client, ILoggerFactory loggers, TimeProvider clock, Random random)
    {
        (_settings, _client, _loggers, _clock, _random) = (settings, client, loggers, clock, random);
        _logger = loggers.CreateLogger<Controller>();
        _slotKeys = new WorkQueue<string>(clock, random);
        _jobKeys = new WorkQueue<string>(clock, random);
        _listKeys = new WorkQueue<string>(clock, random);
        _nodeNames = new WorkQueue<string>(clock, random);
        _secretKeys = new WorkQueue<string>(clock, random);
        _secretWatches = new SecretWatches(client, clock, random, loggers);
        _secrets = new SecretBoard(
            _copies, settings.SecretNamespace, _secretKeys.Add, _slotKeys.Add, (source, isFollowed) => _secretWatches.Follow(source, isFollowed, _secrets!));
        _board = new JobBoard(_nodes, _nodeImages, _secrets, _slotKeys.Add, _nodeNames.Add);
        _listBoard = new ListBoard(_listKeys.Add);
        _podWatches = new PodWatches(client, _board, clock, random, loggers);
        _events = new EventRecorder(client, ProductNames.Controller, settings.Identity, clock, loggers.CreateLogger<EventRecorder>());
        if (settings.Lease is { } lease) _elector = new LeaderElector(client, lease, clock, random, loggers.CreateLogger<LeaderElector>());
        Connect();
    }

    /// <summary>
    /// Null when this replica could lead. The lists are not waited for: a cluster without their CRD has none, and one that is not
    /// cached yet has no key, so nothing is decided about it. When the CRD comes, the reflector sees it within half a minute.
    /// </summary>
    public string? WhyNotReady()
    {
        if (!_nodes.IsSynced) return "the nodes are not listed yet";
        if (!_nodeImages.IsSynced) return "the NodeImages are not listed yet";
        return _jobs.IsSynced ? null : "the jobs are not listed yet";
    }

    /// <returns>Whether it ended because it was asked to, and not because the lease was lost.</returns>
    public async Task<bool> Run(CancellationToken cancellationToken)
    {
        using var running = new CancellationTokenSource();
        Task[] background =
        [
            _events.Run(running.Token),
            Follow(Resources.Nodes, _nodes, new ListQuery(), running.Token),
            Follow(Resources.NodeImages, _nodeImages, new ListQuery(), running.Token),
            Follow(Resources.ImagePullJobs, _jobs, new ListQuery(), running.Token),
            Follow(Resources.ImageListPullJobs, _lists, new ListQuery(), running.Token),
            Follow(Resources.Secrets, _copies, new ListQuery { Namespace = _settings.SecretNamespace, LabelSelector = SecretCopy.SourceUidLabel }, running.Token),
        ];
        await Elect(cancellationToken).ConfigureAwait(false);
        var wasAsked = cancellationToken.IsCancellationRequested;
        await running.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(background).ConfigureAwait(false);
        LogStopped(wasAsked ? "as asked" : "the lease was lost; started again, this replica follows the new leader");
        return wasAsked;
    }

    /// <summary>Has what is counted here told whenever the registry is read.</summary>
    public void Publish(CollectorRegistry registry) =>
        new ControllerMetrics(registry).Publish(() => new ControllerCounts(_nodes.Count, _nodeImages.Count, _jobs.List(), _lists.List(), _board.CountNodes()), _clock);

    public void Dispose()
    {
        _podWatches.Dispose();
        _secretWatches.Dispose();
        _slotKeys.Dispose();
        _jobKeys.Dispose();
        _listKeys.Dispose();
        _nodeNames.Dispose();
        _secretKeys.Dispose();
    }

    private void Connect()
    {
        _nodes.Changed += (before, after) => _board.OnNode(before, after, _clock.GetUtcNow());
        _nodeImages.Changed += (before, after) => _board.OnNodeImage(before, after, _clock.GetUtcNow());
        _copies.Changed += _secrets.OnCopy;
        // A job that is being deleted waits until it is known which copies there are.
        _copies.Synced += () =>
        {
            foreach (var job in _jobs.List()) _jobKeys.Add(ObjectKey.Of(job.Metadata));
        };
        _jobs.Changed += (before, after) =>
        {
            _secrets.OnJob(before, after, _clock.GetUtcNow()); // first: the job's plan asks what its secrets wait for
            _board.OnJob(before, after, _clock.GetUtcNow());
            _listBoard.OnJob(before, after);
            _podWatches.OnJob(before, after);
        };
        _lists.Changed += _listBoard.OnList;
    }

    private Task Follow<T>(Resource<T> resource, Store<T> store, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        new Reflector<T>(_client, resource, query, store, _clock, _random, _loggers.CreateLogger<Reflector<T>>()).Run(cancellationToken);

    private Task Elect(CancellationToken cancellationToken) => _elector?.Run(Lead, cancellationToken) ?? Lead(cancellationToken);

    private async Task Lead(CancellationToken cancellationToken)
    {
        if (!await Synced(cancellationToken).ConfigureAwait(false)) return;
        LogLeading(_nodes.Count, _jobs.Count);
        // What happened while nobody led shows as a difference; a NodeImage without a Node is one.
        foreach (var node in _nodes.List()) _nodeNames.Add(node.Metadata.Name!);
        foreach (var nodeImage in _nodeImages.List()) _nodeNames.Add(nodeImage.Metadata.Name!);
        foreach (var job in _jobs.List()) _slotKeys.Add(ObjectKey.Of(job.Metadata));
        foreach (var list in _lists.List()) _listKeys.Add(ObjectKey.Of(list.Metadata));
        _secrets.BeginLeading(_clock.GetUtcNow());

        var executor = new PlanExecutor(
            _client, _nodeImages, _jobs, _lists, _copies, _board, _listBoard, _secrets, _events, () => _elector?.IsLeader ?? true, _clock, _loggers.CreateLogger<PlanExecutor>());
        var jobs = new JobReconciler(_jobs, _board, _secrets, executor, _jobKeys.Add, _clock);
        var lists = new ListReconciler(_lists, _jobs, _listBoard, executor, _clock);
        var nodeImages = new NodeImageReconciler(_nodes, _nodeImages, _board, executor, _clock);
        var copies = new SecretCopyReconciler(_secrets, _copies, executor);
        await Task.WhenAll(
            Loop("slots", _slotKeys, jobs.FillSlots).Run(SlotWorkers, cancellationToken),
            Loop("imagepulljobs", _jobKeys, jobs.Reconcile).Run(JobWorkers, cancellationToken),
            Loop("imagelistpulljobs", _listKeys, lists.Reconcile).Run(ListWorkers, cancellationToken),
            Loop("secretcopies", _secretKeys, copies.Reconcile).Run(SecretWorkers, cancellationToken),
            Loop("nodeimages", _nodeNames, nodeImages.Reconcile).Run(NodeWorkers, cancellationToken)).ConfigureAwait(false);
    }

    private ControllerLoop<string> Loop(string name, WorkQueue<string> keys, Func<string, CancellationToken, Task<Outcome>> reconcile) =>
        new(name, keys, reconcile, _clock, _loggers.CreateLogger<ControllerLoop<string>>());

    /// <returns>False when cancelled before.</returns>
    private async Task<bool> Synced(CancellationToken cancellationToken)
    {
        while (WhyNotReady() is not null)
        {
            if (cancellationToken.IsCancellationRequested) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock, CancellationToken.None).ConfigureAwait(false);
        }

        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "leading: {Nodes} nodes, {Jobs} jobs")]
    private partial void LogLeading(int nodes, int jobs);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped {Why}")]
    private partial void LogStopped(string why);
}
