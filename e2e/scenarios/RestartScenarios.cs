using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Anything may die in the middle of a job: the job completes, and what was done is not done again (contract 5.6, 7.1).</summary>
public sealed class RestartScenarios(SharedCluster shared) : Scenario(shared)
{
    private string[] Nodes => [.. Cluster.NodeNames];

    [Fact]
    public async Task A_daemon_killed_during_a_pull_continues_and_does_not_repeat_what_was_finished()
    {
        var daemon = Local.Daemons[Nodes[0]];
        var done = await PushAsync("done-before-the-kill");
        await (await JobAsync("done-before-the-kill", JobOn(done))).CompletedAsync(nodes: 1);
        var requests = Local.Proxy!.Requests(done.Repository).Count;

        var image = await PushSlowAsync("daemon-killed", kilobytes: 2000, kilobytesPerSecond: 100);
        var job = await JobAsync("daemon-killed", JobOn(image));
        await DownloadingAsync(image, 1);
        await daemon.Server.KillAsync(Cancellation);
        Local.Proxy.Heal(image.Repository);
        await daemon.StartAsync(Cancellation);

        await job.CompletedAsync(nodes: 1);
        await HasImageAsync(image, Nodes[0]);
        Assert.Equal(requests, Local.Proxy.Requests(done.Repository).Count);
    }

    [Fact]
    public async Task A_daemon_asked_to_end_does_so_within_5_seconds_in_the_middle_of_a_pull()
    {
        var daemon = Local.Daemons[Nodes[0]];
        var image = await PushSlowAsync("daemon-terminated", kilobytes: 2000, kilobytesPerSecond: 100);
        var job = await JobAsync("daemon-terminated", JobOn(image));
        await DownloadingAsync(image, 1);

        Assert.Equal(0, await daemon.Server.TerminateAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));
        await DownloadingAsync(image, 0);
        Local.Proxy!.Heal(image.Repository);
        await daemon.StartAsync(Cancellation);
        await job.CompletedAsync(nodes: 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)] // a version of containerd each
    public async Task Containerd_restarts_during_a_job(int nodeIndex)
    {
        var node = Nodes[nodeIndex];
        var containerd = Local.Node(node);
        var image = await PushSlowAsync($"containerd-killed-{nodeIndex}", kilobytes: 2000, kilobytesPerSecond: 100);
        var job = await JobAsync($"containerd-killed-{nodeIndex}", JobOn(image, node));
        await DownloadingAsync(image, 1);

        await containerd.KillAsync(Cancellation);
        await UntilAsync("the daemon is not ready", async () => !await Local.Daemons[node].IsReadyAsync(Cancellation));
        Local.Proxy!.Heal(image.Repository);
        await containerd.StartAsync(Cancellation);
        await job.CompletedAsync(nodes: 1);
        await HasImageAsync(image, node);
    }

    [Fact]
    public async Task The_API_server_restarts_during_a_job()
    {
        var image = await PushSlowAsync("api-server-killed", kilobytes: 1500, kilobytesPerSecond: 300);
        var job = await JobAsync("api-server-killed", $$$"""{"image":"{{{image.Reference}}}"}""");
        await DownloadingAsync(image, 1);

        await Local.ControlPlane.ApiServer.KillAsync(Cancellation);
        // The first node finishes while there is nobody to tell.
        await DownloadingAsync(image, 0);
        await Local.ControlPlane.StartApiServerAsync(Cancellation);
        await job.CompletedAsync(nodes: 3);
        await HasImageAsync(image, Nodes);
        Assert.Equal(1, Local.Proxy!.MostNodesAtOnce(image.Repository));
    }

    [Fact]
    public async Task Etcd_restarts_during_a_job()
    {
        var image = await PushSlowAsync("etcd-killed", kilobytes: 1500, kilobytesPerSecond: 300);
        var job = await JobAsync("etcd-killed", $$$"""{"image":"{{{image.Reference}}}"}""");
        await DownloadingAsync(image, 1);

        await Local.ControlPlane.Etcd.KillAsync(Cancellation);
        await DownloadingAsync(image, 0);
        Local.ControlPlane.Etcd.Start();
        await Local.ControlPlane.WaitReadyAsync(Cancellation);
        await job.CompletedAsync(nodes: 3);
        await HasImageAsync(image, Nodes);
    }

    [Fact]
    public async Task When_the_leader_dies_the_other_controller_completes_the_job()
    {
        var image = await PushSlowAsync("leader-killed", kilobytes: 1500, kilobytesPerSecond: 300);
        var job = await JobAsync("leader-killed", $$$"""{"image":"{{{image.Reference}}}"}""");
        await DownloadingAsync(image, 1);
        var leader = await LeaderAsync();

        await leader.Server.KillAsync(Cancellation);
        await job.CompletedAsync(nodes: 3);
        Assert.NotSame(leader, await LeaderAsync());
        Assert.Equal(1, Local.Proxy!.MostNodesAtOnce(image.Repository)); // no slot was given twice
        await leader.StartAsync(Cancellation);
    }

    [Fact]
    public async Task A_leader_asked_to_end_hands_over_at_once()
    {
        var leader = await LeaderAsync();
        Assert.Equal(0, await leader.Server.TerminateAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));
        var image = await PushAsync("handed-over");
        var job = await JobAsync("handed-over", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await job.CompletedAsync(nodes: 3);
        Assert.NotSame(leader, await LeaderAsync());
        await leader.StartAsync(Cancellation);
    }

    private string JobOn(TestImage image, string? node = null) => $$$"""{"image":"{{{image.Reference}}}","selector":{"names":["{{{node ?? Nodes[0]}}}"]}}""";

    private Task DownloadingAsync(TestImage image, int nodes) =>
        UntilAsync($"{nodes} nodes download {image.Reference}", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == nodes));

    private Task<Component> LeaderAsync() => Local.LeaderAsync(Cancellation);
}
