using System.CommandLine;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>What the controller was told.</summary>
/// <param name="Lease">Null: no election.</param>
/// <param name="SecretNamespace">Where pull secrets are copied to.</param>
public sealed record ControllerSettings(
    ClusterConfig Connection, string Listen, string Identity, LeaderElectionOptions? Lease, string SecretNamespace, LogLevel LogLevel);

/// <summary>The options of the controller.</summary>
public sealed class ControllerOptions
{
    private readonly Option<string> _listen = ServerOptions.Listen();
    private readonly Option<string?> _identity = new("--identity") { Description = "Our name in the lease. Default: $POD_NAME, or host name and process." };
    private readonly Option<bool> _elect = new("--leader-elect") { Description = "Work only while holding the lease.", DefaultValueFactory = _ => true };
    private readonly Option<string?> _namespace = new("--lease-namespace") { Description = $"Namespace of the lease. Default: $POD_NAMESPACE, or {ProductNames.Namespace}." };
    private readonly Option<int> _leaseSeconds =
        ServerOptions.Number("--lease-duration", "Seconds after which others may take a lease that is not renewed.", 15, 3, 3600, "seconds");

    private readonly Option<string> _secretNamespace = ServerOptions.SecretNamespace();
    private readonly Option<LogLevel> _logLevel = ServerOptions.LogLevel();

    public void AddTo(Command command)
    {
        ConnectionOptions.AddClusterTo(command);
        foreach (var option in new Option[] { _listen, _identity, _elect, _namespace, _leaseSeconds, _secretNamespace, _logLevel }) command.Options.Add(option);
    }

    public ControllerSettings Read(ParseResult parsed)
    {
        var identity = parsed.GetValue(_identity) ?? Environment.GetEnvironmentVariable("POD_NAME") ?? $"{Environment.MachineName}-{Environment.ProcessId}";
        var duration = TimeSpan.FromSeconds(parsed.GetValue(_leaseSeconds));
        var lease = parsed.GetValue(_elect)
            ? new LeaderElectionOptions(
                parsed.GetValue(_namespace) ?? Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? ProductNames.Namespace, ProductNames.Controller, identity)
            {
                LeaseDuration = duration,
                RenewDeadline = duration * 2 / 3,
                RetryPeriod = duration * 2 / 15,
            }
            : null;
        return new ControllerSettings(ConnectionOptions.LoadCluster(parsed), parsed.GetValue(_listen)!, identity, lease, parsed.GetValue(_secretNamespace)!, parsed.GetValue(_logLevel));
    }
}
