using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>Reads a controller's costs at the beginning and at the end of what is measured.</summary>
public sealed class CostMeter
{
    private const string AllocatedMetric = "kruise_image_allocated_bytes_total";

    private static readonly IReadOnlySet<string> resources =
        new HashSet<string> { "nodes", "nodeimages", "imagepulljobs", "imagelistpulljobs", "pods", "secrets", "events", "leases" };

    private readonly ScaleCluster cluster;
    private readonly ControllerUnderTest controller;
    private long started = TimeProvider.System.GetTimestamp();
    private IReadOnlyDictionary<RequestKind, int> requests = new Dictionary<RequestKind, int>();
    private IReadOnlyDictionary<string, long> bytes = new Dictionary<string, long>();
    private double cpuSeconds;
    private double serverSeconds;
    private double? allocated;

    private CostMeter(ScaleCluster cluster, ControllerUnderTest controller) => (this.cluster, this.controller) = (cluster, controller);

    public static async Task<CostMeter> StartAsync(ScaleCluster cluster, ControllerUnderTest controller, CancellationToken cancellationToken)
    {
        var requests = await OthersAsync(cluster, cancellationToken);
        var bytes = await controller.ConnectionBytesAsync(cancellationToken);
        var allocated = await controller.MetricAsync(AllocatedMetric, cancellationToken);
        controller.ResetPeak();
        return new(cluster, controller) { requests = requests, bytes = bytes, allocated = allocated, cpuSeconds = controller.CpuSeconds(), serverSeconds = cluster.ServerCpuSeconds() };
    }

    /// <summary>Of a controller that is started now.</summary>
    public static async Task<CostMeter> BeforeStartAsync(ScaleCluster cluster, ControllerUnderTest controller, CancellationToken cancellationToken) =>
        new(cluster, controller) { requests = await OthersAsync(cluster, cancellationToken), allocated = 0, serverSeconds = cluster.ServerCpuSeconds() };

    /// <summary>What is measured begins now, and not when the meter was set up; nothing was asked of the server between.</summary>
    public void Begin() => (started, cpuSeconds, serverSeconds) = (TimeProvider.System.GetTimestamp(), controller.CpuSeconds(), cluster.ServerCpuSeconds());

    public async Task<Cost> StopAsync(CancellationToken cancellationToken)
    {
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var (cpu, server, peak) = (controller.CpuSeconds() - cpuSeconds, cluster.ServerCpuSeconds() - serverSeconds, controller.PeakMegabytes());
        var moved = (await controller.ConnectionBytesAsync(cancellationToken)).Sum(connection => connection.Value - bytes.GetValueOrDefault(connection.Key));
        var allocations = await controller.MetricAsync(AllocatedMetric, cancellationToken) - allocated;
        var now = await OthersAsync(cluster, cancellationToken);
        var sent = now.Select(kind => (kind.Key, Count: kind.Value - requests.GetValueOrDefault(kind.Key))).Where(kind => kind.Count > 0).ToDictionary(kind => kind.Key, kind => kind.Count);
        return new(seconds, cpu, server, peak, allocations / (1 << 20), sent, moved / (double)(1 << 20));
    }

    /// <summary>Requests about what a controller has to do with, by whoever but us. The server counts a watch when it ends: they are left out.</summary>
    private static async Task<IReadOnlyDictionary<RequestKind, int>> OthersAsync(ScaleCluster cluster, CancellationToken cancellationToken)
    {
        var own = cluster.Own.Sent;
        var counted = new Dictionary<RequestKind, int>();
        foreach (var sample in PrometheusText.Read(await cluster.Admin.MetricsAsync(cancellationToken), "apiserver_request_total"))
        {
            var (verb, resource, subresource) = (Label(sample, "verb"), Label(sample, "resource"), Label(sample, "subresource"));
            if (verb == "WATCH" || !resources.Contains(resource))
                continue;
            var kind = new RequestKind(verb is "GET" or "LIST" ? RequestKind.Read : verb, subresource.Length == 0 ? resource : $"{resource}/{subresource}");
            counted[kind] = counted.GetValueOrDefault(kind) + (int)sample.Value;
        }
        return counted.ToDictionary(kind => kind.Key, kind => kind.Value - own.GetValueOrDefault(kind.Key));

        static string Label(Sample sample, string name) => sample.Labels.GetValueOrDefault(name, "");
    }
}
