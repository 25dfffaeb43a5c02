using System.CommandLine;
using KruiseImage.Cri;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>What the daemon was told.</summary>
public sealed record DaemonSettings(
    ClusterConfig Connection, string NodeName, IReadOnlyList<RuntimeEndpoint> Runtimes, PullLimits Limits, string Listen, LogLevel LogLevel);

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

    private readonly Option<int> _concurrentPulls = new("--max-concurrent-pulls")
    {
        Description = "Pulls at one time; others wait.",
        DefaultValueFactory = _ => 2,
    };

    private readonly Option<long> _minPullRate = new("--min-pull-rate")
    {
        Description = "Bytes per second below which a pull is taken for stalled, while bytes are missing.",
        DefaultValueFactory = _ => 1024,
    };

    private readonly Option<int> _stallTimeout = new("--stall-timeout")
    {
        Description = "Seconds below that rate after which the attempt is given up and repeated; 0: never.",
        DefaultValueFactory = _ => 120,
    };

    private readonly Option<string> _listen = new("--listen") { Description = "ADDRESS:PORT of /healthz, /readyz and /metrics.", DefaultValueFactory = _ => ":8080" };
    private readonly Option<LogLevel> _logLevel = new("--log-level") { Description = "Trace, Debug, Information, Warning or Error.", DefaultValueFactory = _ => LogLevel.Information };

    public void AddTo(Command command)
    {
        Check(_runtime, endpoint => endpoint is null || RuntimeEndpoint.TryParse(endpoint, out _, out var error) ? null : $"--runtime-endpoint: {error}");
        Check(_listen, address => HttpEndpoint.AddressError(address));
        Check(_concurrentPulls, pulls => pulls is >= 1 and <= MostConcurrentPulls ? null : $"--max-concurrent-pulls is a number from 1 to {MostConcurrentPulls}");
        Check(_minPullRate, rate => rate >= 1 ? null : "--min-pull-rate is a number of bytes per second, at least 1; --stall-timeout 0 switches the watch off");
        Check(_stallTimeout, seconds => seconds is >= 0 and <= 86400 ? null : "--stall-timeout is a number of seconds from 0 to 86400");
        ConnectionOptions.AddClusterTo(command);
        foreach (var option in new Option[] { _nodeName, _runtime, _concurrentPulls, _minPullRate, _stallTimeout, _listen, _logLevel }) command.Options.Add(option);
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
        return new DaemonSettings(ConnectionOptions.LoadCluster(parsed), nodeName, runtimes, limits, parsed.GetValue(_listen)!, parsed.GetValue(_logLevel));
    }

    private static string First(params string?[] values) => values.First(value => !string.IsNullOrEmpty(value))!;

    private static void Check<T>(Option<T> option, Func<T, string?> errorOf) => option.Validators.Add(result =>
    {
        // What is not even of the type has its own message.
        if (!result.Errors.Any() && errorOf(result.GetValueOrDefault<T>()!) is { } error) result.AddError(error);
    });
}
