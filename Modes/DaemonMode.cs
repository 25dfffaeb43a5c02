using System.CommandLine;
using KruiseImage.Cri;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>
/// The mode that pulls: follows the NodeImage of its node and makes the container runtime agree: its command line. What runs is
/// <see cref="Daemon"/>.
/// </summary>
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
        command.SetAction((parsed, cancellationToken) => Run(options.Read(parsed), parsed.InvocationConfiguration.Error, cancellationToken));
        return command;
    }

    private static async Task<int> Run(DaemonSettings settings, TextWriter error, CancellationToken cancellationToken)
    {
        using var loggers = Logs.Create(settings.LogLevel, error);
        var clock = TimeProvider.System;
        using var client = new KubeClient(settings.Connection, ProductVersion.UserAgent);
        using var runtime = new NodeRuntime(settings.Runtimes, LeaseMark.Daemon, clock, loggers.CreateLogger<NodeRuntime>());
        using var memory = new IdleMemory(clock, IdleMemory.Collect);
        var daemon = new Daemon(settings, client, runtime, new DaemonMetrics(Metrics.DefaultFactory), memory, loggers, clock, new Random());
        var logger = loggers.CreateLogger<Daemon>();
        LogStarted(logger, ProductVersion.Text, settings.NodeName, settings.Connection.Server);
        ProcessMetrics.Publish("daemon");
        await HttpEndpoint.Beside(daemon.Run, settings.Listen, daemon.WhyNotReady, cancellationToken).ConfigureAwait(false);
        return ExitCode.Done;
    }
    [LoggerMessage(Level = LogLevel.Information, Message = "{Version} daemon of node {Node}, for the cluster at {Server}")]
    private static partial void LogStarted(ILogger logger, string version, string node, Uri server);
}
