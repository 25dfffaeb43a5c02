using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>The mode that pulls: follows the NodeImage of its node and makes the container runtime agree. This file is wiring only.</summary>
public static partial class DaemonMode
{
    public static Command Command()
    {
        var options = new DaemonOptions();
        var command = new DocumentedCommand("daemon", "Pulls what its node's NodeImage asks for, and says how far it is. Run it on each node.")
        {
            Notes = """
                It talks to the container runtime over the CRI socket, so it runs as root. A runtime or an API server that is away is
                waited for; /readyz says which. /healthz, /readyz and /metrics are served on --listen.
                SIGTERM cancels the pulls and ends with 0; started again, it goes on where it was.
                """,
            Examples = """
                # On a node, as the DaemonSet of 'kruise-image ctl install' does
                kruise-image daemon
                # By hand, for one node of a kubeconfig's cluster
                kruise-image daemon --kubeconfig ~/.kube/config --node-name node-1 --runtime-endpoint unix:///run/containerd/containerd.sock
                """,
        };
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Run(options.Read(parsed), cancellationToken));
        return command;
    }

    private static async Task<int> Run(DaemonSettings settings, CancellationToken cancellationToken)
    {
        using var loggers = Logs.Create(settings.LogLevel);
        var logger = loggers.CreateLogger(typeof(DaemonMode).FullName!);
        var (clock, random) = (TimeProvider.System, new Random());
        using var client = new KubeClient(settings.Connection, ProductVersion.UserAgent);

        var store = new Store<NodeImage>();
        var inbox = new SyncInbox();
        store.Changed += (_, _) => inbox.TellNodeImageChanged();
        store.Synced += inbox.TellNodeImageChanged;
        using var runtime = new NodeRuntime(settings.Runtimes, clock, loggers.CreateLogger<NodeRuntime>());
        using var endpoint = new HttpEndpoint(settings.Listen, asking => WhyNotReady(store, runtime, asking));
        ProcessMetrics.Publish("daemon");
        LogStarted(logger, ProductVersion.Text, settings.NodeName, settings.Connection.Server);
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = new EventRecorder(client, "kruise-image-daemon", settings.NodeName, clock, loggers.CreateLogger<EventRecorder>());
        var mine = new ListQuery { FieldSelector = $"metadata.name={settings.NodeName}" };
        Task[] background =
        [
            endpoint.Run(running.Token),
            events.Run(running.Token),
            new Reflector<NodeImage>(client, Resources.NodeImages, mine, store, clock, random, loggers.CreateLogger<Reflector<NodeImage>>()).Run(running.Token),
        ];

        using var memory = new IdleMemory(clock);
        var secrets = new PullSecrets(client, settings.SecretNamespace, loggers.CreateLogger<PullSecrets>());
        var providers = new CredentialProviderSet(settings.CredentialProviders, clock, loggers.CreateLogger<CredentialProviderSet>());
        var metrics = new DaemonMetrics(Metrics.DefaultFactory);
        var loop = new SyncLoop(
            settings.NodeName, store, inbox,
            new PullTable(settings.Limits),
            new StatusLedger(),
            runtime,
            new PullPool(runtime, new PullCredentials(secrets, providers), inbox, clock),
            new StatusReporter(client, store, inbox, loggers.CreateLogger<StatusReporter>()),
            new PullAnnouncer(events, metrics, loggers.CreateLogger<PullAnnouncer>()),
            metrics, memory, random, clock, loggers.CreateLogger<SyncLoop>());
        try
        {
            await loop.Run(running.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped(logger);
        }

        await running.CancelAsync().ConfigureAwait(false);
        await inbox.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(background).ConfigureAwait(false);
        return ExitCode.Done;
    }

    private static async ValueTask<string?> WhyNotReady(Store<NodeImage> store, NodeRuntime runtime, CancellationToken cancellationToken) =>
        store.IsSynced ? await runtime.WhyNotReady(cancellationToken).ConfigureAwait(false) : "the API server has not answered yet";

    [LoggerMessage(Level = LogLevel.Information, Message = "{Version} daemon of node {Node}, for the cluster at {Server}")]
    private static partial void LogStarted(ILogger logger, string version, string node, Uri server);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped: asked to. Pulls are cancelled, the status stays as it is")]
    private static partial void LogStopped(ILogger logger);
}
