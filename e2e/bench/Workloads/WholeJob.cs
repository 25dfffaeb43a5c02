namespace KruiseImage.Bench.Workloads;

/// <summary>
/// W2: a job over all N nodes with parallelism N, from its creation until the watch has shown the last node's success. When the job's own
/// status says so is told besides.
/// </summary>
public sealed class WholeJob(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    private const string Job = "bench-w2";

    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        List<Floors.Floor> floors = [];
        List<(double Seconds, double Completed, Cost Cost)> runs = [];
        for (var repetition = 0; repetition < Options.RepetitionsAt(NodeCount); repetition++)
        {
            floors.Add(await Floors.PatchAndAnswerAsync(Cluster, cancellationToken));
            runs.Add(await MeasureAsync(cancellationToken));
        }
        var (seconds, completed, cost) = Middle(runs, run => run.Seconds);
        var floor = Middle(floors, run => run.Seconds);
        return new("W2", NodeCount, seconds, floor.Seconds, cost,
            FormattableString.Invariant($"a job over all, parallelism N; its status said so {completed - seconds:0.00} s later; runs {Several(runs.Select(run => run.Seconds))}, floors {Several(floors.Select(run => run.Seconds))}, with {floor.ServerSeconds:0.00} server CPU-seconds"),
            [
                Goals.Ratio(seconds / floor.Seconds),
                Goals.Count("NodeImage patches per node", cost.Of("PATCH", "nodeimages") / (double)NodeCount, 1),
                Goals.StatusWrites(cost.Of("PATCH", "imagepulljobs/status"), completed),
                Goals.Count("reads", cost.Reads, 0),
            ], WorkOver(floor, cost));
    }

    private async Task<(double Seconds, double Completed, Cost Cost)> MeasureAsync(CancellationToken cancellationToken)
    {
        await Cluster.RenewAsync(cancellationToken);
        using var controller = NewController();
        await controller.StartSettledAsync(cancellationToken);
        var meter = await CostMeter.StartAsync(Cluster, controller, cancellationToken);
        using var answered = new Sighting(Cluster.Daemons, NodeCount, static seen => seen.HasSucceeded(ImageOf(Job)));
        var started = Now;
        await CreateJobAsync(Job, NodeCount, cancellationToken);
        await answered.ReachedAsync("every node has pulled", Patience, cancellationToken);
        await JobCompletedAsync(Job, cancellationToken);
        var completed = Seconds(started, Now);
        var cost = await meter.StopAsync(cancellationToken);
        await EndAsync(controller, cancellationToken);
        return (Seconds(started, answered.Last), completed, cost);
    }
}
