using System.Text.Json.Nodes;

namespace KruiseImage.Bench.Workloads;

/// <summary>W7: a hundred Nodes get another label, at once; until the watch has shown it on the last of their NodeImages.</summary>
public sealed class Relabelled(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    private const int Changed = 100;

    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        await Cluster.RenewAsync(cancellationToken);
        using var controller = NewController();
        await controller.StartSettledAsync(cancellationToken);
        var nodes = Cluster.Nodes.Take(Changed).ToList();
        using var all = new Sighting(Cluster.Daemons, nodes.Count, static seen => seen.RelabelledTo == "yes");
        var meter = await CostMeter.StartAsync(Cluster, controller, cancellationToken);
        var started = Now;
        await LabelAsync(nodes, "yes", cancellationToken);
        var labelled = Seconds(started, Now);
        await all.ReachedAsync("the NodeImages have the label", Patience, cancellationToken);
        await controller.SettledAsync(cancellationToken);
        var cost = await meter.StopAsync(cancellationToken);
        await EndAsync(controller, cancellationToken);
        await LabelAsync(nodes, null, cancellationToken);
        return new("W7", NodeCount, Seconds(started, all.Last), null, cost, FormattableString.Invariant(
            $"{nodes.Count} nodes relabelled within {labelled:0.00} s, the last NodeImage {Seconds(started, all.Last) - labelled:0.000} s later"),
            [Goals.Count("NodeImage patches", cost.Of("PATCH", "nodeimages"), nodes.Count), Goals.Count("reads", cost.Reads, 0)]);
    }

    private Task LabelAsync(IReadOnlyList<MadeNode> nodes, string? value, CancellationToken cancellationToken) => Cluster.EachAsync(nodes, (node, token) =>
        Cluster.Admin.MergePatchAsync($"/api/v1/nodes/{node.Name}", NodeImageBodies.Utf8(
            new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [NodeImageEvent.RelabelLabel] = value } } }), token), cancellationToken);
}
