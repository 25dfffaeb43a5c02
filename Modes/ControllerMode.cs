using System.CommandLine;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>
/// The mode that turns jobs into NodeImages: its command line. What runs is <see cref="Controller"/>.
/// </summary>
public static partial class ControllerMode
{
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
        command.SetAction((parsed, cancellationToken) => Run(options.Read(parsed), parsed.InvocationConfiguration.Error, cancellationToken));
        return command;
    }

    /// <summary>
    /// Read once, when the first socket is used. What waits for a socket then goes on in the thread that found it ready, in place of one of
    /// the pool: at 100 events a second a third of the controller's processor time goes into waking threads. Nothing here blocks for long.
    /// </summary>
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    private static async Task<int> Run(ControllerSettings settings, TextWriter error, CancellationToken cancellationToken)
    {
        Environment.SetEnvironmentVariable(InlineCompletions, "1");
        using var loggers = Logs.Create(settings.LogLevel, error);
        using var client = new KubeClient(settings.Connection, ProductVersion.UserAgent);
        using var controller = new Controller(settings, client, loggers, TimeProvider.System, new Random());
        var logger = loggers.CreateLogger<Controller>();
        LogStarted(logger, ProductVersion.Text, settings.Identity, settings.Connection.Server);
        ProcessMetrics.Publish("controller");
        controller.Publish(Metrics.DefaultRegistry);
        var wasAsked = false;
        await HttpEndpoint.Beside(
            async stop => wasAsked = await controller.Run(stop).ConfigureAwait(false), settings.Listen,
            _ => ValueTask.FromResult(controller.WhyNotReady()), cancellationToken).ConfigureAwait(false);
        return wasAsked ? ExitCode.Done : ExitCode.Failed;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Version} controller {Identity}, for the cluster at {Server}")]
    private static partial void LogStarted(ILogger logger, string version, string identity, Uri server);
}
