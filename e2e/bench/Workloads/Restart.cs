using KruiseImage.Bed;

namespace KruiseImage.Bench.Workloads;

/// <summary>W6: a controller that starts where N nodes have pulled for a job, and finds everything done.</summary>
public sealed class Restart(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    private const string Job = "bench-w6";

    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        await Cluster.RenewAsync(cancellationToken);
        using (var former = NewController())
        {
            await former.StartSettledAsync(cancellationToken);
            await CreateJobAsync(Job, NodeCount, cancellationToken);
            await JobCompletedAsync(Job, cancellationToken);
            await former.SettledAsync(cancellationToken);
            await former.Server.KillAsync(cancellationToken);
            await LeaseGate.RemoveAsync(Cluster.Admin, cancellationToken);
        }

        using var controller = NewController("bench-2");
        var meter = await CostMeter.BeforeStartAsync(Cluster, controller, cancellationToken);
        var started = Now;
        controller.Server.Start();
        await UntilAsync(controller.IsReadyAsync, cancellationToken);
        var ready = Seconds(started, Now);
        await UntilAsync(async token => await controller.MetricAsync("kruise_image_leader", token) is null or 1, cancellationToken);
        var leading = Seconds(started, Now);
        await controller.SettledAsync(cancellationToken);
        var cost = await meter.StopAsync(cancellationToken);
        await EndAsync(controller, cancellationToken);
        return new("W6", NodeCount, ready, null, cost, FormattableString.Invariant(
            $"start to ready {ready:0.00} s, to leading {leading:0.00} s; {cost.Reads} pages listed, {cost.Megabytes:0.0} MB; {cost.CpuSeconds:0.00} CPU-seconds until all is looked at"),
            [Goals.Count("writes", cost.Writes, 0)]);
    }

    private static async Task UntilAsync(Func<CancellationToken, Task<bool>> probe, CancellationToken cancellationToken)
    {
        var started = Now;
        while (!await Try())
        {
            if (Seconds(started, Now) > Patience.TotalSeconds)
                throw new BedException("the controller did not get ready");
            await Task.Delay(TimeSpan.FromMilliseconds(2), cancellationToken);
        }

        async Task<bool> Try()
        {
            try
            {
                return await probe(cancellationToken);
            }
            catch (HttpRequestException)
            {
                return false; // it does not listen yet
            }
        }
    }
}
