using System.Diagnostics;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>
/// The daemon of one node in a network of its own, whose cable to the API server is cut in mid-pull: packets vanish, nobody is told.
/// What it pulls it goes on with, and says so when it can.
/// </summary>
public sealed class PartitionFaultScenarios(SharedCluster shared) : ProcessFaultScenario(shared)
{
    [Fact]
    public async Task A_node_is_cut_off_in_the_middle_of_its_pull()
    {
        var node = Nodes[Fate.Next(Nodes.Length)];
        var usual = Local.Daemons[node];
        var network = new NodeNetwork($"{node}-daemon-far", Local, Local.Node(node));
        await usual.Server.TerminateAsync(Cancellation);
        AtTheEnd(async () =>
        {
            network.Dispose();
            await usual.StartAsync(Cancellation);
        });
        await network.StartAsync(Cancellation);

        await BeginAsync("fault-cut-off");
        await MomentAsync($"{node} is in the middle of its pull", () => PullsAsync(node));
        await network.CutAsync(Cancellation);
        var cut = Stopwatch.StartNew();
        var time = TimeSpan.FromSeconds(30) + Fate.Within(10_000);
        await UntilAsync($"{node} was cut off for {time.TotalSeconds:0} s and has the image", async () =>
            cut.Elapsed > time && await Cluster.FindImageAsync(node, Image.Reference, Cancellation) is not null);
        Assert.NotEqual("Succeeded", (await EntryStatusAsync(node, Image))!.Text("phase"));
        await network.MendAsync(Cancellation);
        await EndsWellAsync(withinSeconds: 60);
        Assert.Equal(0, await network.Daemon.TerminateAsync(Cancellation));
    }
}
