using System.Net;

namespace KruiseImage.Bed.Soaking;

/// <summary>
/// One fault after the other until it is told to stop; each ends before the next begins. controller-1 and the daemon of node-1 are
/// disturbed, and never ended: their lives are long enough to see whether they grow.
/// </summary>
public sealed class RandomFaults(LocalCluster cluster, Random random, IReadOnlyList<string> repositories)
{
    private readonly SortedDictionary<string, int> counts = [];

    public IReadOnlyDictionary<string, int> Counts => counts;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await PauseAsync(2000, 8000, stop);
            if (!stop.IsCancellationRequested)
                await OneAsync();
        }
    }

    // Not cancelled in the middle: what a fault took away it brings back.
    private async Task OneAsync()
    {
        var mortal = cluster.Daemons[cluster.Nodes[1 + random.Next(cluster.Nodes.Count - 1)].Name];
        var anyDaemon = cluster.Daemons[cluster.Nodes[random.Next(cluster.Nodes.Count)].Name];
        var node = cluster.Nodes[random.Next(cluster.Nodes.Count)];
        switch (random.Next(16))
        {
            case 0: await CountedAsync("controller killed", () => AgainAsync(cluster.Controllers[1], isKilled: true)); break;
            case 1: await CountedAsync("controller asked to end", () => AgainAsync(cluster.Controllers[1], isKilled: false)); break;
            case 2: await CountedAsync("daemon killed", () => AgainAsync(mortal, isKilled: true)); break;
            case 3: await CountedAsync("daemon asked to end", () => AgainAsync(mortal, isKilled: false)); break;
            case 4: await CountedAsync("containerd killed", () => AgainAsync(node, isKilled: true)); break;
            case 5: await CountedAsync("containerd asked to end", () => AgainAsync(node, isKilled: false)); break;
            case 6: await CountedAsync("API server killed", async () => { await cluster.ControlPlane.ApiServer.KillAsync(CancellationToken.None); await cluster.ControlPlane.StartApiServerAsync(CancellationToken.None); }); break;
            case 7: await CountedAsync("history compacted, API server killed", ForgetAsync); break;
            case 8: await CountedAsync("etcd killed", RestartEtcdAsync); break;
            case 9: await CountedAsync("etcd slow", SlowEtcdAsync); break;
            case 10: await CountedAsync("API server frozen", () => FreezeAsync(cluster.ControlPlane.ApiServer, 1000, 6000)); break;
            case 11: await CountedAsync("controller frozen", () => FreezeAsync(cluster.Controllers[1].Server, 2000, 20000)); break;
            case 12: await CountedAsync("daemon frozen", () => FreezeAsync(anyDaemon.Server, 1000, 6000)); break;
            case 13: await CountedAsync("registry answers 503", () => BreakAsync(new Fault(Status: HttpStatusCode.ServiceUnavailable))); break;
            case 14: await CountedAsync("registry resets", () => BreakAsync(new Fault { ResetAfter = 100_000 })); break;
            default: await CountedAsync("registry hangs", () => BreakAsync(new Fault(Hang: true))); break;
        }
    }

    private async Task CountedAsync(string what, Func<Task> fault)
    {
        counts[what] = counts.GetValueOrDefault(what) + 1;
        await fault();
    }

    private static async Task AgainAsync(Component component, bool isKilled)
    {
        await EndAsync(component.Server, isKilled);
        await component.StartAsync(CancellationToken.None);
    }

    private static async Task AgainAsync(ContainerdNode node, bool isKilled)
    {
        await EndAsync(node.Server, isKilled);
        await node.StartAsync(CancellationToken.None);
    }

    private static async Task EndAsync(ServerProcess server, bool isKilled)
    {
        if (isKilled)
            await server.KillAsync(CancellationToken.None);
        else if (await server.TerminateAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20)) is not 0 and var code)
            throw new BedException($"{server.Name} was asked to end and ended with code {code}:\n{server.LogTail()}");
    }

    private async Task ForgetAsync()
    {
        await cluster.ControlPlane.CompactAsync(CancellationToken.None);
        await cluster.ControlPlane.ApiServer.KillAsync(CancellationToken.None);
        await PauseAsync(0, 3000, CancellationToken.None);
        await cluster.ControlPlane.StartApiServerAsync(CancellationToken.None);
    }

    private async Task RestartEtcdAsync()
    {
        await cluster.ControlPlane.Etcd.KillAsync(CancellationToken.None);
        await PauseAsync(0, 2000, CancellationToken.None);
        cluster.ControlPlane.Etcd.Start();
        await cluster.ControlPlane.WaitReadyAsync(CancellationToken.None);
    }

    private async Task SlowEtcdAsync()
    {
        using var healed = new CancellationTokenSource(TimeSpan.FromSeconds(2 + random.Next(6)));
        await cluster.ControlPlane.Etcd.SlowAsync(TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(200), healed.Token);
    }

    private async Task FreezeAsync(ServerProcess server, int least, int most)
    {
        server.Freeze();
        await PauseAsync(least, most, CancellationToken.None);
        server.Thaw();
    }

    private async Task BreakAsync(Fault fault)
    {
        var repository = repositories[random.Next(repositories.Count)];
        cluster.Proxy!.Set(repository, fault);
        await PauseAsync(2000, 6000, CancellationToken.None);
        cluster.Proxy.Heal(repository);
    }

    private async Task PauseAsync(int least, int most, CancellationToken stop) =>
        await Task.WhenAny(Task.Delay(random.Next(least, most), stop)); // a stop is no failure
}
