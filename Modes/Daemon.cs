using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>
/// The daemon, wired: one informer brings the NodeImage of this node, the sync loop makes the runtime agree and writes the status.
/// Made and run once by <see cref="DaemonMode"/>, and by the simulator. Decides nothing.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Run closes the inbox")]
public sealed partial class Daemon
{
    private readonly INodeRuntime _runtime;
    private readonly ILogger _logger;
    private readonly Store<NodeImage> _store = new();
    private readonly SyncInbox _inbox = new();
    private readonly EventRecorder _events;
    private readonly Reflector<NodeImage> _reflector;
    private readonly SyncLoop _loop;

    public Daemon(
        DaemonSettings settings, IKubeClient client, INodeRuntime runtime, DaemonMetrics metrics, IdleMemory memory,
        ILoggerFactory loggers, TimeProvider clock, Random random)
    {
        (_runtime, _logger) = (runtime, loggers.CreateLogger<Daemon>());
        _store.Changed += (_, _) => _inbox.TellNodeImageChanged();
        _store.Synced += _inbox.TellNodeImageChanged;
        _events = new EventRecorder(client, ProductNames.Daemon, settings.NodeName, clock, loggers.CreateLogger<EventRecorder>());
        var mine = new ListQuery { FieldSelector = $"metadata.name={settings.NodeName}" };
        _reflector = new Reflector<NodeImage>(client, Resources.NodeImages, mine, _store, clock, random, loggers.CreateLogger<Reflector<NodeImage>>());

        var secrets = new PullSecrets(client, settings.SecretNamespace, loggers.CreateLogger<PullSecrets>());
        var providers = new CredentialProviderSet(settings.CredentialProviders, clock, loggers.CreateLogger<CredentialProviderSet>());
        _loop = new SyncLoop(
            settings.NodeName, _store, _inbox,
            new PullTable(settings.Limits),
            new StatusLedger(),
            runtime,
            new PullPool(runtime, new PullCredentials(secrets, providers), _inbox, clock),
            new StatusReporter(client, _store, _inbox, loggers.CreateLogger<StatusReporter>()),
            new PullAnnouncer(_events, metrics, loggers.CreateLogger<PullAnnouncer>()),
            metrics, memory, random, clock, loggers.CreateLogger<SyncLoop>());
    }

    /// <summary>Null when it could pull now; else a sentence.</summary>
    public async ValueTask<string?> WhyNotReady(CancellationToken cancellationToken) =>
        _store.IsSynced ? await _runtime.WhyNotReady(cancellationToken).ConfigureAwait(false) : "the API server has not answered yet";

    /// <summary>Until cancelled. Pulls are then cancelled, and the status left as it is (contract 5.8).</summary>
    public async Task Run(CancellationToken cancellationToken)
    {
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] background = [_events.Run(running.Token), _reflector.Run(running.Token)];
        try
        {
            await _loop.Run(running.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped();
        }

        await running.CancelAsync().ConfigureAwait(false);
        await _inbox.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(background).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped: asked to. Pulls are cancelled, the status stays as it is")]
    private partial void LogStopped();
}
