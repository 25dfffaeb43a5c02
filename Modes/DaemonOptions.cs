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

    private readonly Option<string?> _runtime = new("--runtime-endpoint")
    {
        Description = "The container runtime's CRI socket, unix:///path [default: the first that answers of containerd, k3s, RKE2, CRI-O, cri-dockerd].",
        HelpName = "endpoint",
    };

    private readonly Option<int> _concurrentPulls =
        ServerOptions.Number("--max-concurrent-pulls", "Pulls at one time; others wait.", 2, 1, MostConcurrentPulls, "pulls");

    private readonly Option<int> _minPullRate = ServerOptions.Number(
        "--min-pull-rate", "Bytes per second below which a pull is taken for stalled, while bytes are missing.", 1024, 1, int.MaxValue, "bytes per second");

    private readonly Option<int> _stallTimeout = ServerOptions.Number(
        "--stall-timeout", "Seconds below that rate after which the attempt is given up and repeated; 0: never.", 120, 0, 86400, "seconds");

    private readonly Option<string?> _providerConfig = new("--image-credential-provider-config")
    {
        Description = "The kubelet's CredentialProviderConfig, a file or a directory of files: plugins that are asked for credentials [default: none].",
        HelpName = "path",
    };

    private readonly Option<string?> _providerBinDirectory = new("--image-credential-provider-bin-dir")
    {
        Description = "The directory of those plugins.",
        HelpName = "path",
    };

    private readonly Option<string> _secretNamespace = ServerOptions.SecretNamespace();
    private readonly Option<string> _listen = ServerOptions.Listen();
    private readonly Option<LogLevel> _logLevel = ServerOptions.LogLevel();

    public void AddTo(Command command)
    {
        _runtime.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } endpoint && !RuntimeEndpoint.TryParse(endpoint, out _, out var error)) result.AddError($"--runtime-endpoint: {error}");
        });
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
        var runtimes = parsed.GetValue(_runtime) is { } text && RuntimeEndpoint.TryParse(text, out var asked, out _) ? [asked] : RuntimeEndpoint.Usual;
        var providers = CredentialProviders(parsed.GetValue(_providerConfig), parsed.GetValue(_providerBinDirectory));
        return new DaemonSettings(
            ConnectionOptions.LoadCluster(parsed), nodeName, runtimes, limits, providers, parsed.GetValue(_secretNamespace)!, parsed.GetValue(_listen)!, parsed.GetValue(_logLevel));
    }

    private IReadOnlyList<CredentialProviderSpec> CredentialProviders(string? config, string? binDirectory)
    {
        if (string.IsNullOrEmpty(config) && string.IsNullOrEmpty(binDirectory)) return [];
        if (string.IsNullOrEmpty(config) || string.IsNullOrEmpty(binDirectory))
            throw CommandException.Usage($"{_providerConfig.Name} and {_providerBinDirectory.Name} go together: give both or neither");
        try
        {
            return CredentialProviderFiles.Load(config, binDirectory);
        }
        catch (CredentialProviderException wrong)
        {
            throw CommandException.Usage($"{_providerConfig.Name}: {wrong.Message}");
        }
    }

    private static string First(params string?[] values) => values.First(value => !string.IsNullOrEmpty(value))!;
}
