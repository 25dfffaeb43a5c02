using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>
/// Every process is killed, or asked to end, and started again at each moment of one and the same job: before anything is dispatched,
/// in mid-pull, when a slot is free, and when all is done (contract 5.6, 7.1).
/// </summary>
public sealed class KillFaultScenarios(SharedCluster shared) : ProcessFaultScenario(shared)
{
    /// <summary>What product processes have to end in when they are asked to (contract 5.8).</summary>
    private static readonly TimeSpan endTime = TimeSpan.FromSeconds(5);

    /// <summary>With everybody else.</summary>
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(3);

    [Theory]
    [InlineData("leader", true)]
    [InlineData("leader", false)]
    [InlineData("standby", true)]
    [InlineData("standby", false)]
    [InlineData("daemon", true)]
    [InlineData("daemon", false)]
    [InlineData("containerd-1.6", true)]
    [InlineData("containerd-1.6", false)]
    [InlineData("containerd-1.7", true)]
    [InlineData("containerd-1.7", false)]
    [InlineData("containerd-2.1", true)]
    [InlineData("containerd-2.1", false)]
    [InlineData("kube-apiserver", true)]
    [InlineData("kube-apiserver", false)]
    [InlineData("etcd", true)]
    [InlineData("etcd", false)]
    public async Task At_each_moment_of_a_job(string victim, bool isKilled)
    {
        var node = victim switch { "containerd-1.6" => Nodes[0], "containerd-1.7" => Nodes[1], "containerd-2.1" => Nodes[2], _ => Nodes[Fate.Next(Nodes.Length)] };
        await BeginAsync($"fault-{victim}-{(isKilled ? "killed" : "asked")}");
        await MomentAsync("nothing is dispatched", async () => await EntryAsync(Nodes[0], Image) is null);
        await EndAsync(victim, node, isKilled);
        // While the API server is away a pull may begin and end unseen: then the next one will do, or there is none left.
        if (victim is "kube-apiserver" or "etcd")
            await MomentAsync("a node is in the middle of its pull", async () => await AnyPullsAsync() || await HaveItAsync() == Nodes.Length);
        else
            await MomentAsync($"{node} is in the middle of its pull", () => PullsAsync(node));
        await EndAsync(victim, node, isKilled);
        await MomentAsync("a slot was freed", async () => await HaveItAsync() >= 1);
        await EndAsync(victim, node, isKilled);
        await MomentAsync("all is done", async () => await HaveItAsync() == Nodes.Length);
        await EndAsync(victim, node, isKilled);
        await EndsWellAsync(withinSeconds: 30);
    }

    private async Task EndAsync(string victim, string node, bool isKilled)
    {
        switch (victim)
        {
            case "leader" or "standby":
                var leader = await Local.LeaderAsync(Cancellation);
                await AgainAsync(victim == "leader" ? leader : Local.Controllers.Single(controller => controller != leader), isKilled);
                break;
            case "daemon":
                Cut++;
                await AgainAsync(Local.Daemons[node], isKilled);
                break;
            case "kube-apiserver":
                await EndAsync(Local.ControlPlane.ApiServer, isKilled); // of 1.20, asked to: takes a minute as long as there are watches
                await Local.ControlPlane.StartApiServerAsync(Cancellation);
                break;
            case "etcd":
                await EndAsync(Local.ControlPlane.Etcd, isKilled);
                Local.ControlPlane.Etcd.Start();
                await Local.ControlPlane.WaitReadyAsync(Cancellation);
                break;
            default:
                Cut++;
                await EndAsync(Local.Node(node).Server, isKilled);
                await Local.Node(node).StartAsync(Cancellation);
                break;
        }
    }

    private static async Task AgainAsync(Component component, bool isKilled)
    {
        if (isKilled)
            await component.Server.KillAsync(Cancellation);
        else
            Assert.Equal(0, await component.Server.TerminateAsync(Cancellation).WaitAsync(endTime, Cancellation));
        await component.StartAsync(Cancellation);
    }

    /// <summary>As a kubelet does: who does not end in time when asked is killed.</summary>
    private static async Task EndAsync(ServerProcess server, bool isKilled)
    {
        try
        {
            if (!isKilled)
            {
                await server.TerminateAsync(Cancellation).WaitAsync(patience, Cancellation);
                return;
            }
        }
        catch (TimeoutException)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{server.Name} had to be killed");
        }
        await server.KillAsync(Cancellation);
    }
}
