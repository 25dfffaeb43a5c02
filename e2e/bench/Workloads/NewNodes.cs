namespace KruiseImage.Bench.Workloads;

/// <summary>
/// W1: NodeImages for N new Nodes. The controller runs and has listed everything; the time is from when it is given the lease until the
/// watch has shown the last NodeImage. Another's controller is measured from its start.
/// </summary>
public sealed class NewNodes(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        List<Floors.Floor> floors = [];
        List<(double Seconds, Cost Cost)> runs = [];
        for (var repetition = 0; repetition < Options.RepetitionsAt(NodeCount); repetition++)
        {
            floors.Add(await Floors.CreateNodeImagesAsync(Cluster, cancellationToken));
            runs.Add(await MeasureAsync(cancellationToken));
        }
        var (seconds, cost) = Middle(runs, run => run.Seconds);
        var floor = Middle(floors, run => run.Seconds);
        return new("W1", NodeCount, seconds, floor.Seconds, cost, FormattableString.Invariant($"{NodeCount} NodeImages for new Nodes; runs {Several(runs.Select(run => run.Seconds))}, floors {Several(floors.Select(run => run.Seconds))}, with {floor.ServerSeconds:0.00} server CPU-seconds"),
        [
            Goals.Ratio(seconds / floor.Seconds),
            Goals.Count("creates per node", cost.Of("POST", "nodeimages") / (double)NodeCount, 1),
        ], WorkOver(floor, cost));
    }

    private async Task<(double Seconds, Cost Cost)> MeasureAsync(CancellationToken cancellationToken)
    {
        await Cluster.ClearAsync(cancellationToken);
        using var controller = NewController();
        using var all = new Sighting(Cluster.Daemons, NodeCount, static seen => seen.Type == "ADDED");
        if (controller.IsOurs)
        {
            await LeaseGate.CloseAsync(Cluster.Admin, cancellationToken);
            await controller.StartAsync(cancellationToken);
        }
        var meter = controller.IsOurs ? await CostMeter.StartAsync(Cluster, controller, cancellationToken) : await CostMeter.BeforeStartAsync(Cluster, controller, cancellationToken);
        var started = Now;
        if (controller.IsOurs)
        {
            started = await LeaseGate.OpenAsync(Cluster.Admin, cancellationToken);
            meter.Begin(); // it may have been told of its turn only when it asked again
        }
        else
        {
            await controller.StartAsync(cancellationToken);
        }
        await all.ReachedAsync("every Node has its NodeImage", Patience, cancellationToken);
        var cost = await meter.StopAsync(cancellationToken);
        await EndAsync(controller, cancellationToken);
        return (Seconds(started, all.Last), cost);
    }
}
