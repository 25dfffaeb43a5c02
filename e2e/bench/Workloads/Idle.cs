namespace KruiseImage.Bench.Workloads;

/// <summary>W5: N nodes, and for a minute nothing to do.</summary>
public sealed class Idle(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        await Cluster.RenewAsync(cancellationToken);
        using var controller = NewController();
        await controller.StartSettledAsync(cancellationToken);
        var meter = await CostMeter.StartAsync(Cluster, controller, cancellationToken);
        await Task.Delay(Options.Length, cancellationToken);
        var cost = await meter.StopAsync(cancellationToken);
        await EndAsync(controller, cancellationToken);
        var share = cost.CpuSeconds / cost.Seconds * 100;
        return new("W5", NodeCount, cost.Seconds, null, cost, FormattableString.Invariant($"idle: {share:0.000} % of a core"),
            [Goals.AtMost("CPU", share, 0.2, " % of a core"), Goals.Count("writes", cost.Writes, 0), Goals.Count("reads", cost.Reads, 0)]);
    }
}
