using KruiseImage.Cri;
using KruiseImage.Sim.Api;
using KruiseImage.Sim.Engine;
using Prometheus;

namespace KruiseImage.Sim.Parts;

/// <summary>
/// The world of one simulation: an API server, registries, machines, and the product's processes, which are the real ones but for
/// the API client, the runtime, the clock and the random source that they are given.
/// </summary>
internal sealed class Cluster
{
    /// <summary>Metrics are kept by the process, and nobody reads them here.</summary>
    public static readonly DaemonMetrics Metrics = new(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));

    private readonly Random _random;

    public Cluster(int seed, bool isTraced)
    {
        _random = new Random(seed);
        Trace = new Trace(Schedule, isTraced);
        Server = new SimApiServer(new HostClock(new Host("kube-apiserver", Schedule), Schedule));
        Network = new Network(Server, Schedule, new Random(_random.Next()));
        Registry = new SimRegistry(new Random(_random.Next()));
        People = Server.As("people");
        Server.Written += OnWritten;
    }

    public Schedule Schedule { get; } = new();

    public Trace Trace { get; }

    public SimApiServer Server { get; }

    /// <summary>Everybody who is not the product: kubectl, the kubelet's node status, the garbage collector.</summary>
    public SimSession People { get; }

    public Network Network { get; }

    public SimRegistry Registry { get; }

    public SortedDictionary<string, SimNode> Machines { get; } = new(StringComparer.Ordinal);

    public List<ControllerProcess> Controllers { get; } = [];

    public SortedDictionary<string, DaemonProcess> Daemons { get; } = new(StringComparer.Ordinal);

    public IEnumerable<ProductProcess> Processes => Controllers.Concat<ProductProcess>(Daemons.Values);

    public DateTimeOffset WallClock => HostClock.Epoch + Schedule.Now;

    /// <summary>By how much two clocks of the world may ever have differed.</summary>
    public TimeSpan LargestSkew { get; set; }

    /// <summary>A host sends a write of this kind.</summary>
    public event Action<Host, string>? Sending;

    public Random NewRandom() => new(_random.Next());

    public HostClient ClientOf(Host host) => new(host, Server.As(host.Name), People, Network, Trace, (sender, plural) => Sending?.Invoke(sender, plural));

    private static string Told(SimWrite write)
    {
        if (write.After is null) return ": gone";
        var parts = write.Subresource is null ? new[] { "spec", "metadata" } : ["status"];
        return string.Concat(parts.Select(part => write.After.Json.TryGetProperty(part, out var json) ? $" {json.GetRawText()}" : ""));
    }

    private void OnWritten(SimWrite write)
    {
        Trace.Mix($"{write.Actor} {write.Verb} {write.Plural}/{write.Subresource} {write.Key}");
        if (Trace.IsOn && write.Plural != "leases") Trace.Write($"{write.Actor} {write.Verb} {write.Plural}/{write.Subresource} {write.Key}{(write.Changed ? Told(write) : ", unchanged")}");
        if (write.Changed) Network.Announce(write.Plural);
    }
}
