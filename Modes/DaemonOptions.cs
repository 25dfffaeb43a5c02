using System.CommandLine;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>What the daemon was told.</summary>
public sealed record DaemonSettings(
    ClusterConfig Connection,
    string NodeName,
    IReadOnlyList<RuntimeEndpoint> Runtimes,
    PullLimits Limits,
    IReadOnlyList<CredentialProviderSpec> CredentialProviders,
    string SecretNamespace,
    string Listen,
    LogLevel LogLevel);

/// <summary>The options of the daemon.</summary>
public sealed class DaemonOptions
{
    private const int MostConcurrentPulls = 64;

    private readonly Option<string?> _nodeName = new("--node-name")
    {
        Description = "The Node that this is, whose NodeImage is followed [default: $NODE_NAME, else the host name].",
        HelpName = "name",
    };

    private readonly Option<string?> _runtime = RuntimeOptions.Endpoint();

    private readonly Option<int> _concurrentPulls =
        ServerOptions.Number("--max-concurrent-pulls", "Pulls at one time; others wait.", 2, 1, MostConcurrentPulls, "pulls");

    private readonly Option<int> _minPullRate = ServerOptions.Number(
        "--min-pull-rate", "Bytes per second below which a pull is taken for stalled, while bytes are missing.", 1024, 1, int.MaxValue, "bytes per second");

    private readonly Option<int> _stallTimeout = ServerOptions.Number(
        "--stall-timeout", "Seconds below that rate after which the attempt is given up and repeated; 0: never.", 120, 0, 86400, "seconds");

    private readonly Option<string?> _providerConfig = RuntimeOptions.ProviderConfig();
    private readonly Option<string?> _providerBinDirectory = RuntimeOptions.ProviderBinDirectory();
    private readonly Option<string> _secretNamespace = ServerOptions.SecretNamespace();
    private readonly Option<string> _listen = ServerOptions.Listen();
    private readonly Option<LogLevel> _logLevel = ServerOptions.LogLevel();

    public void AddTo(Command command)
    {
        ConnectionOptions.AddClusterTo(command);
        Option[] options =
            [_nodeName, _runtime, _concurrentPulls, _minPullRate, _stallTimeout, _providerConfig, _providerBinDirectory, _secretNamespace, _listen, _logLevel];
        foreach (var option in options) command.Options.Add(option);
    }

    public DaemonSettings Read(ParseResult parsed)
    {
        var nodeName = First(parsed.GetValue(_nodeName), Environment.GetEnvironmentVariable("NODE_NAME"), Environment.MachineName).ToLowerInvariant();
        var limits = new PullLimits
        {
            MaxConcurrentPulls = parsed.GetValue(_concurrentPulls),
            MinBytesPerSecond = parsed.GetValue(_minPullRate),
            StallTimeout = TimeSpan.FromSeconds(parsed.GetValue(_stallTimeout)),
            JitterSeed = nodeName,
        };
        var runtimes = RuntimeOptions.Endpoints(parsed, _runtime);
        var providers = RuntimeOptions.Providers(parsed, _providerConfig, _providerBinDirectory);
        return new DaemonSettings(
            ConnectionOptions.LoadCluster(parsed), nodeName, runtimes, limits, providers, parsed.GetValue(_secretNamespace)!, parsed.GetValue(_listen)!, parsed.GetValue(_logLevel));
    }

    private static string First(params string?[] values) => values.First(value => !string.IsNullOrEmpty(value))!;
}
