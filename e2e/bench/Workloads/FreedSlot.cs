using KruiseImage.Bed;

namespace KruiseImage.Bench.Workloads;

/// <summary>
/// W3: a job over N nodes with parallelism 10. A slot is free when the server has acknowledged the status that ends a pull; it is filled
/// when the watch shows the next node's entry. Ends after 500 nodes. Pulls take a while, and not all the same, so that the machine is far
/// from its limit and the times are not those of a queue before a processor.
/// </summary>
public sealed class FreedSlot(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    public const int Parallelism = 10;
    private const int MostNodes = 500;
    private static readonly TimeSpan PullTime = TimeSpan.FromSeconds(1);
    private const string Job = "bench-w3";

    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        await Cluster.RenewAsync(cancellationToken);
        using var controller = NewController();
        await controller.StartSettledAsync(cancellationToken);
        Cluster.Daemons.PullTime = PullTime;
        using var slots = new SlotTimes(Cluster.Daemons, ImageOf(Job));
        var nodes = Math.Min(NodeCount, MostNodes);
        using var answered = new Sighting(Cluster.Daemons, nodes, static seen => seen.HasSucceeded(ImageOf(Job)));
        var meter = await CostMeter.StartAsync(Cluster, controller, cancellationToken);
        var before = await controller.LoopTimesAsync(cancellationToken);
        var started = Now;
        await CreateJobAsync(Job, Parallelism, cancellationToken);
        await answered.ReachedAsync($"{nodes} nodes have pulled", Patience + (nodes * PullTime), cancellationToken);
        if (nodes == NodeCount)
            await JobCompletedAsync(Job, cancellationToken);
        var loops = await controller.LoopTimesAsync(cancellationToken) is { } after && before is not null
            ? $"; in the controller, wait + work: {after.Since(before, "slots")}, {after.Since(before, "nodeimages")}" : "";
        var cost = await meter.StopAsync(cancellationToken);
        Cluster.Daemons.PullTime = TimeSpan.Zero;
        await EndAsync(controller, cancellationToken);

        var dispatched = slots.Dispatched.Count;
        var filled = slots.FilledAfter(Parallelism);
        var shown = slots.ShownAfter();
        var p99 = Statistics.Percentile(filled, 99) * 1000;
        var goals = new List<Goal>
        {
            Goals.AtMost("slot filled, p99", p99, 20, " ms"),
            Goals.AtMost("NodeImage patches per node", cost.Of("PATCH", "nodeimages") / (double)dispatched, 1.01, ""), // one may be on its way
            Goals.StatusWrites(cost.Of("PATCH", "imagepulljobs/status"), cost.Seconds),
            Goals.Count("reads", cost.Reads, 0),
        };
        return new("W3", NodeCount, Seconds(started, answered.Last), null, cost, FormattableString.Invariant(
            $"parallelism {Parallelism}, a pull takes {PullTime.TotalSeconds / 2:0.0} to {PullTime.TotalSeconds * 1.5:0.0} s; a freed slot filled: p50 {Statistics.Median(filled) * 1000:0.0} ms, p99 {p99:0.0} ms of {filled.Count}; of that until a watch shows the status: p50 {Statistics.Median(shown) * 1000:0.0} ms, p99 {Statistics.Percentile(shown, 99) * 1000:0.0} ms{loops}"),
            goals);
    }
}

/// <summary>When the slots of one job were freed and filled.</summary>
public sealed class SlotTimes : IDisposable
{
    private readonly HollowDaemons daemons;
    private readonly string image;
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> dispatched = [], acknowledged = [], succeeded = [];

    public SlotTimes(HollowDaemons daemons, string image)
    {
        (this.daemons, this.image) = (daemons, image);
        daemons.Seen += OnSeen;
        daemons.Acknowledged += OnAcknowledged;
    }

    /// <summary>By node, when a watch showed its entry.</summary>
    public IReadOnlyDictionary<string, long> Dispatched
    {
        get
        {
            lock (gate)
                return dispatched.ToDictionary();
        }
    }

    /// <summary>In seconds: the k-th slot that was freed is filled by the k-th dispatch after those that the job began with.</summary>
    public IReadOnlyList<double> FilledAfter(int parallelism)
    {
        lock (gate)
            return [.. acknowledged.Values.Order().Zip(dispatched.Values.Order().Skip(parallelism), (freed, filled) => TimeProvider.System.GetElapsedTime(freed, filled).TotalSeconds)];
    }

    /// <summary>In seconds, from the acknowledgement of a status to the moment at which a watch shows it.</summary>
    public IReadOnlyList<double> ShownAfter()
    {
        lock (gate)
            return [.. acknowledged.Where(node => succeeded.ContainsKey(node.Key)).Select(node => TimeProvider.System.GetElapsedTime(node.Value, succeeded[node.Key]).TotalSeconds)];
    }

    public void Dispose()
    {
        daemons.Seen -= OnSeen;
        daemons.Acknowledged -= OnAcknowledged;
    }

    private void OnSeen(NodeImageEvent seen)
    {
        if (seen.VersionOf(image) is null)
            return;
        lock (gate)
        {
            dispatched.TryAdd(seen.Name, seen.At);
            if (seen.HasSucceeded(image))
                succeeded.TryAdd(seen.Name, seen.At);
        }
    }

    private void OnAcknowledged(HollowPull pull, long at)
    {
        lock (gate)
            if (pull.Entry.Image == image)
                acknowledged.TryAdd(pull.Node, at);
    }
}
