using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Bench.Workloads;

/// <summary>
/// W4: 200 jobs over 1,000 nodes each, ten at a time, none of whose pulls ends; for a minute daemons report a hundred times a second how far
/// a pull is.
/// </summary>
public sealed class ManyJobs(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    public const int JobCount = 200;
    private const int Parallelism = 10;
    private const int EventsPerSecond = 100;

    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        await Cluster.RenewAsync(cancellationToken);
        using var controller = NewController();
        await controller.StartSettledAsync(cancellationToken);
        Cluster.Daemons.IsFinishing = false;
        var pulls = new ConcurrentQueue<HollowPull>();
        void Begun(HollowPull pull, long at) => pulls.Enqueue(pull);
        Cluster.Daemons.Acknowledged += Begun;
        var thousands = Math.Max(1, NodeCount / 1000);
        await Cluster.EachAsync(Enumerable.Range(0, JobCount), (number, token) => CreateJobAsync($"bench-w4-{number}", Parallelism, token, NodeCount < 1000 ? null
            : new JsonObject { ["matchLabels"] = new JsonObject { [NodeFactory.ThousandLabel] = $"{number % thousands}" } }), cancellationToken);
        var active = JobCount * Math.Min(Parallelism, NodeCount);
        await Eventually.TrueAsync("all pulls have begun", Patience, _ => Task.FromResult(pulls.Count >= active), cancellationToken);
        await controller.SettledAsync(cancellationToken);

        var meter = await CostMeter.StartAsync(Cluster, controller, cancellationToken);
        var sent = await ReportAsync([.. pulls], cancellationToken);
        var cost = await meter.StopAsync(cancellationToken);
        Cluster.Daemons.Acknowledged -= Begun;
        await EndAsync(controller, cancellationToken);
        Cluster.Daemons.IsFinishing = true;

        var share = cost.CpuSeconds / sent * EventsPerSecond * 100; // a server that cannot take as many must not flatter us
        var nodes = Math.Min(NodeCount, 1000);
        List<Goal> goals =
        [
            Goals.AtMost("CPU", share, 2, " % of a core"),
            Goals.StatusWrites(cost.Of("PATCH", "imagepulljobs/status"), cost.Seconds, JobCount),
            Goals.Count("NodeImage patches", cost.Of("PATCH", "nodeimages"), 0),
            Goals.Count("reads", cost.Reads, 0),
        ];
        if (NodeCount <= 1000)
            goals.Add(Goals.AtMost("RSS", cost.PeakMegabytes, 60, " MB"));
        else if (NodeCount <= 10_000)
            goals.Add(Goals.AtMost("RSS", cost.PeakMegabytes, 120, " MB"));
        return new("W4", NodeCount, cost.Seconds, null, cost, FormattableString.Invariant(
            $"{JobCount} jobs × {nodes} nodes, {active} pulls under way, {sent / cost.Seconds:0} status events/s; at {EventsPerSecond}/s {share:0.00} % of a core"), goals);
    }

    /// <returns>How many were sent: at a busy machine fewer than were due.</returns>
    private async Task<int> ReportAsync(IReadOnlyList<HollowPull> pulls, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / EventsPerSecond));
        using var free = new SemaphoreSlim(Options.Connections);
        var (started, sent) = (Now, 0);
        var writes = new List<Task>();
        while (Seconds(started, Now) < Options.Length.TotalSeconds && await timer.WaitForNextTickAsync(cancellationToken))
            for (var spent = Seconds(started, Now); sent < spent * EventsPerSecond && spent < Options.Length.TotalSeconds; spent = Seconds(started, Now), sent++)
            {
                await free.WaitAsync(cancellationToken);
                writes.Add(WriteAsync(pulls[sent % pulls.Count], 1 + (sent / pulls.Count * 7 % 98), free, cancellationToken));
            }
        await Task.WhenAll(writes);
        return sent;
    }

    private async Task WriteAsync(HollowPull pull, int progress, SemaphoreSlim free, CancellationToken cancellationToken)
    {
        try
        {
            await Cluster.Daemons.ReportAsync(pull, progress, cancellationToken);
        }
        finally
        {
            free.Release();
        }
    }
}
