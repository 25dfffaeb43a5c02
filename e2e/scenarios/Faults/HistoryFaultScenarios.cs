using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>
/// An API server that has forgotten what our watches want to go on from (410), and one that is slow, as etcd is. While we heard nothing
/// the objects changed.
/// </summary>
public sealed class HistoryFaultScenarios(SharedCluster shared) : ProcessFaultScenario(shared)
{
    [Fact]
    public async Task History_is_gone_and_objects_changed_unseen()
    {
        await BeginAsync("fault-compacted");
        var doomed = await JobAsync("fault-compacted-doomed", $$$"""{"image":"{{{(await PushSlowAsync("fault-compacted-doomed")).Reference}}}","parallelism":2}""");
        await MomentAsync("both jobs are under way", async () => await AnyPullsAsync() && (await doomed.GetAsync())?["status"]?.Number("active") > 0);
        Component[] ours = [.. Local.Controllers, .. Local.Daemons.Values];
        var before = ours.ToDictionary(component => component.Name, Forgotten);
        foreach (var component in ours)
            component.Server.Freeze();
        try
        {
            await doomed.DeleteAsync();
            await Job.PatchAsync("""{"parallelism":2}""");
            await Api.MergePatchAsync(Paths.Node(Nodes[1]), JsonNode.Parse("""{"metadata":{"labels":{"fault":"compacted"}}}""")!, Cancellation);
            await Local.ControlPlane.CompactAsync(Cancellation);
            await Local.ControlPlane.ApiServer.KillAsync(Cancellation);
            await Local.ControlPlane.StartApiServerAsync(Cancellation);
        }
        finally
        {
            foreach (var component in ours)
                component.Server.Thaw();
        }
        AtTheEnd(() => Api.MergePatchAsync(Paths.Node(Nodes[1]), JsonNode.Parse("""{"metadata":{"labels":{"fault":null}}}""")!, Cancellation));
        await EndsWellAsync(withinSeconds: 60);
        await doomed.GoneAsync();
        await doomed.EntriesGoneAsync();
        await UntilAsync("the NodeImage has the new label", async () => (await NodeImageAsync(Nodes[1]))!["metadata"]!["labels"]?["fault"]?.GetValue<string>() == "compacted");
        // Of the controllers the one that led ends: it slept too long. Whoever was watching and is the same process had to list again.
        foreach (var daemon in Local.Daemons.Values)
            Assert.True(Forgotten(daemon) > before[daemon.Name], $"{daemon.Name} was to be told that its version is too old");
    }

    /// <summary>etcd has its turn an eighth of the time, while the API server starts and until the job is over.</summary>
    [Fact]
    public async Task The_API_server_restarts_while_etcd_is_slow()
    {
        await BeginAsync("fault-slow-etcd");
        await MomentAsync("a slot was freed", async () => await HaveItAsync() >= 1);
        using var healed = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var slowness = Local.ControlPlane.Etcd.SlowAsync(TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(280), healed.Token);
        try
        {
            await Local.ControlPlane.ApiServer.KillAsync(Cancellation);
            await Local.ControlPlane.StartApiServerAsync(Cancellation);
            await MomentAsync("all is done", async () => await HaveItAsync() == Nodes.Length);
        }
        finally
        {
            await healed.CancelAsync();
            await slowness;
        }
        await EndsWellAsync(withinSeconds: 30);
    }

    private static int Forgotten(Component component) =>
        File.ReadLines(component.Server.LogFile).Count(line => line.Contains("too old resource version", StringComparison.Ordinal));
}
