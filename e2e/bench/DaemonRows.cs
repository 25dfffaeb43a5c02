using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>
/// What a node pays: the executable, and one daemon beside one real containerd. B, D1, D2 and D3 of the bench; no size of the cluster
/// matters to them.
/// </summary>
public static class DaemonRows
{
    private const int Pulls = 100;
    private const int Starts = 20;
    private const string Image = "bench/pulled";
    private static readonly TimeSpan patience = TimeSpan.FromMinutes(1);

    public static async Task<IReadOnlyList<Row>> MeasureAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        List<Row> rows = [];
        if (options.Workloads.Contains("B"))
            rows.Add(await ExecutableAsync(cancellationToken));
        if (!options.Workloads.Any(workload => workload.StartsWith('D')))
            return rows;
        await using var cluster = await LocalCluster.StartAsync(new ClusterOptions(Nodes: 1),
            (registry, token) => registry.PushAsync(Image, "1", new ImageContent(seed: 7, bytes: 1 << 20, layers: 1), token), cancellationToken);
        if (options.Workloads.Contains("D1"))
            rows.Add(await PullOverheadAsync(cluster, cancellationToken));
        if (options.Workloads.Contains("D2"))
            rows.Add(await IdleAsync(cluster, options.Length, cancellationToken));
        if (options.Workloads.Contains("D3"))
            rows.Add(await StartAsync(cluster, cancellationToken));
        return rows;
    }

    private static async Task<Row> ExecutableAsync(CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var round = 0; round < 30; round++)
        {
            var started = Now;
            (await CommandResult.RunAsync(Parts.Product, ["--version"], new Dictionary<string, string>(), null, cancellationToken)).Succeeded();
            times.Add(Milliseconds(started, Now));
        }
        var bytes = new FileInfo(Parts.Product).Length;
        return new("B", null, null, null, null, FormattableString.Invariant($"{bytes:n0} bytes; `--version`: median of {times.Count} {Statistics.Median(times):0} ms"),
            [Goals.AtMost("executable", bytes / (1024.0 * 1024), 20, " MiB")]);
    }

    /// <summary>The same image on the same node, in turn: by containerd alone, and through a NodeImage until a watch shows the success.</summary>
    private static async Task<Row> PullOverheadAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        var node = cluster.Nodes[0];
        var reference = $"{Image}:1";
        List<double> raw = [], over = [];
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var events = cluster.Api.WatchAsync(Paths.NodeImages, ended.Token).GetAsyncEnumerator(cancellationToken);
        for (var round = 0; round < Pulls; round++)
        {
            var started = Now;
            await node.PullAsync(reference, cancellationToken);
            raw.Add(Milliseconds(started, Now));
            await node.RemoveAsync(reference, cancellationToken);

            started = Now;
            await PatchAsync(cluster, node.Name, $$$"""{"spec":{"images":{"{{{Image}}}":{"tags":[{"version":{{{round + 1}}},"tag":"1"}]} } } }""", cancellationToken);
            await UntilAsync(events, status => status?["imageStatuses"]?[Image]?["tags"]?[0] is { } tag && tag.Text("phase") == "Succeeded" && tag.Number("version") == round + 1);
            over.Add(Milliseconds(started, Now) - raw[^1]);
            await PatchAsync(cluster, node.Name, $$$"""{"spec":{"images":{"{{{Image}}}":null} } }""", cancellationToken);
            await UntilAsync(events, status => status?["imageStatuses"]?[Image] is null);
            await node.RemoveAsync(reference, cancellationToken);
        }
        await ended.CancelAsync();
        var p99 = Statistics.Percentile(over, 99);
        return new("D1", null, null, null, null, FormattableString.Invariant(
            $"{Pulls} pulls of 1 MB: raw CRI p50 {Statistics.Median(raw):0} ms, p99 {Statistics.Percentile(raw, 99):0} ms; more than the raw one before it: p50 {Statistics.Median(over):0} ms, p99 {p99:0} ms"),
            [Goals.AtMost("overhead, p99", p99, 100, " ms")]);
    }

    private static async Task<Row> IdleAsync(LocalCluster cluster, TimeSpan length, CancellationToken cancellationToken)
    {
        var daemon = cluster.Daemons.Values.Single();
        await Task.Delay(TimeSpan.FromSeconds(10), cancellationToken); // what "idle" means here: ten seconds after the last pull
        var (cpu, started) = (ProcessTimes.CpuSeconds(daemon.Server.Pid), Now);
        await Task.Delay(length, cancellationToken);
        var share = (ProcessTimes.CpuSeconds(daemon.Server.Pid) - cpu) / (Milliseconds(started, Now) / 1000) * 100;
        var megabytes = daemon.Server.ResidentBytes() / (1024.0 * 1024);
        return new("D2", null, null, null, null, FormattableString.Invariant($"a daemon that is idle for {length.TotalSeconds:0} s, after its pulls"),
            [Goals.AtMost("RSS", megabytes, 25, " MB"), Goals.AtMost("CPU", share, 0.05, " % of a core")]);
    }

    private static async Task<Row> StartAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        var daemon = cluster.Daemons.Values.Single();
        var times = new List<double>();
        for (var round = 0; round < Starts; round++)
        {
            await daemon.Server.KillAsync(cancellationToken);
            var started = Now;
            daemon.Server.Start();
            while (!await IsReadyAsync(daemon, cancellationToken))
                await Task.Delay(TimeSpan.FromMilliseconds(1), cancellationToken);
            times.Add(Milliseconds(started, Now));
        }
        return new("D3", null, null, null, null, FormattableString.Invariant(
            $"a daemon's start to ready: median of {Starts} {Statistics.Median(times):0} ms, slowest {times.Max():0} ms"), [Goals.AtMost("start to ready", Statistics.Median(times), 100, " ms")]);
    }

    private static async Task<bool> IsReadyAsync(Component daemon, CancellationToken cancellationToken)
    {
        try
        {
            return await daemon.IsReadyAsync(cancellationToken);
        }
        catch (HttpRequestException)
        {
            return false; // it does not listen yet
        }
    }

    private static async Task PatchAsync(LocalCluster cluster, string node, string patch, CancellationToken cancellationToken) =>
        await cluster.Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse(patch)!, cancellationToken);

    private static async Task UntilAsync(IAsyncEnumerator<JsonNode> events, Func<JsonNode?, bool> isReached)
    {
        while (await events.MoveNextAsync().AsTask().WaitAsync(patience))
            if (isReached(events.Current["object"]?["status"]))
                return;
        throw new BedException("the watch of the NodeImages ended");
    }

    private static long Now => TimeProvider.System.GetTimestamp();

    private static double Milliseconds(long from, long to) => TimeProvider.System.GetElapsedTime(from, to).TotalMilliseconds;
}
