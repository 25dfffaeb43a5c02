using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Reconcile.NodeImages;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>
/// The mode that turns jobs into NodeImages. Every replica keeps its caches and books warm; the holder of the lease reconciles.
/// This file is wiring only.
/// </summary>
public static partial class ControllerMode
{
    /// <summary>Concurrent writes of NodeImages. A job over thousands of nodes is bound by this and the server.</summary>
    private const int NodeWorkers = 32;

    private const int JobWorkers = 4;

    public static Command Command()
    {
        var options = new ControllerOptions();
        var command = new DocumentedCommand("controller", "Turns jobs into the images that each node should pull. Run it as a Deployment.")
        {
            Notes = """
                Any number of replicas may run: one holds the lease and works, the others follow with warm caches.
                /healthz, /readyz and /metrics are served on --listen. SIGTERM hands the lease over and ends with 0.
                """,
            Examples = """
                # In a cluster, as the Deployment of 'kruise-image ctl install' does
                kruise-image controller
                # On a laptop, against the cluster of a kubeconfig
                kruise-image controller --kubeconfig ~/.kube/config --listen 127.0.0.1:8080
                """,
        };
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Run(options.Read(parsed), cancellationToken));
        return command;
    }

    private static async Task<int> Run(ControllerSettings settings, CancellationToken cancellationToken)
    {
        using var loggers = Logs.Create(settings.LogLevel);
        var logger = loggers.CreateLogger(typeof(ControllerMode).FullName!);
        var (clock, random) = (TimeProvider.System, new Random());
        using var client = new KubeClient(settings.Connection, ProductVersion.UserAgent);

        var nodes = new Store<Node>();
        var nodeImages = new Store<NodeImage>();
        var jobs = new Store<ImagePullJob>();
        using var jobQueue = new WorkQueue<string>(clock, random);
        using var nodeQueue = new WorkQueue<string>(clock, random);
        var board = new JobBoard(nodes, nodeImages, jobQueue.Add, nodeQueue.Add);
        using var podWatches = new PodWatches(client, board, clock, random, loggers);
        nodes.Changed += (before, after) => board.OnNode(before, after, clock.GetUtcNow());
        nodeImages.Changed += (before, after) => board.OnNodeImage(before, after, clock.GetUtcNow());
        jobs.Changed += (before, after) =>
        {
            board.OnJob(before, after, clock.GetUtcNow());
            podWatches.OnJob(before, after);
        };

        using var endpoint = new HttpEndpoint(settings.Listen, () => WhyNotReady(nodes, nodeImages, jobs));
        LogStarted(logger, ProductVersion.Text, settings.Connection.Server, settings.Identity);
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = new EventRecorder(client, "kruise-image-controller", settings.Identity, clock, loggers.CreateLogger<EventRecorder>());
        Task[] background =
        [
            endpoint.Run(running.Token),
            events.Run(running.Token),
            Follow(Resources.Nodes, nodes),
            Follow(Resources.NodeImages, nodeImages),
            Follow(Resources.ImagePullJobs, jobs),
        ];

        var executor = new PlanExecutor(client, nodeImages, jobs, board, events, clock, loggers.CreateLogger<PlanExecutor>());
        var jobReconciler = new JobReconciler(board, executor, clock);
        var nodeReconciler = new NodeImageReconciler(nodes, nodeImages, board, executor, clock);
        var isGraceful = await Elect(Lead).ConfigureAwait(false);
        await running.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(background).ConfigureAwait(false);
        LogStopped(logger, isGraceful ? "asked to" : "the lease was lost: started again, this replica follows the new leader");
        return isGraceful ? ExitCode.Done : ExitCode.Failed;

        Task Follow<T>(Resource<T> resource, Store<T> store)
            where T : class, IKubeObject =>
            new Reflector<T>(client, resource, new ListQuery(), store, clock, random, loggers.CreateLogger<Reflector<T>>()).Run(running.Token);

        async Task<bool> Elect(Func<CancellationToken, Task> lead)
        {
            if (settings.Lease is null)
            {
                await lead(cancellationToken).ConfigureAwait(false);
                return true;
            }

            var elector = new LeaderElector(client, settings.Lease, clock, random, loggers.CreateLogger<LeaderElector>());
            await elector.Run(lead, cancellationToken).ConfigureAwait(false);
            return cancellationToken.IsCancellationRequested;
        }

        async Task Lead(CancellationToken leading)
        {
            while (WhyNotReady(nodes, nodeImages, jobs) is not null) await Task.Delay(TimeSpan.FromMilliseconds(20), clock, leading).ConfigureAwait(false);
            LogLeading(logger, nodes.Count, jobs.Count);
            foreach (var node in nodes.List()) nodeQueue.Add(node.Metadata.Name!);
            foreach (var nodeImage in nodeImages.List()) nodeQueue.Add(nodeImage.Metadata.Name!);
            foreach (var job in jobs.List()) jobQueue.Add(ObjectKey.Of(job.Metadata));
            await Task.WhenAll(
                new ControllerLoop<string>("imagepulljobs", jobQueue, jobReconciler.Reconcile, clock, loggers.CreateLogger<ControllerLoop<string>>()).Run(JobWorkers, leading),
                new ControllerLoop<string>("nodeimages", nodeQueue, nodeReconciler.Reconcile, clock, loggers.CreateLogger<ControllerLoop<string>>()).Run(NodeWorkers, leading))
                .ConfigureAwait(false);
        }
    }

    private static string? WhyNotReady(Store<Node> nodes, Store<NodeImage> nodeImages, Store<ImagePullJob> jobs)
    {
        if (!nodes.IsSynced) return "the nodes are not listed yet";
        if (!nodeImages.IsSynced) return "the NodeImages are not listed yet";
        return jobs.IsSynced ? null : "the jobs are not listed yet";
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Version} controller {Identity}, for the cluster at {Server}")]
    private static partial void LogStarted(ILogger logger, string version, Uri server, string identity);

    [LoggerMessage(Level = LogLevel.Information, Message = "leading: {Nodes} nodes, {Jobs} jobs")]
    private static partial void LogLeading(ILogger logger, int nodes, int jobs);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped: {Why}")]
    private static partial void LogStopped(ILogger logger, string why);
}
