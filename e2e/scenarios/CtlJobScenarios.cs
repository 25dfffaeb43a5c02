using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>pause, resume, retry, cancel and delete on jobs and lists that pull.</summary>
public sealed class CtlJobScenarios(SharedCluster shared) : Scenario(shared)
{
    private string[] Nodes => [.. Cluster.NodeNames];

    [Fact]
    public async Task A_paused_job_lets_its_pull_end_begins_no_other_and_goes_on_when_resumed()
    {
        var image = await PushSlowAsync("ctl-pause", kilobytes: 1000, kilobytesPerSecond: 300);
        var job = await JobAsync("ctl-pause", $$$"""{"image":"{{{image.Reference}}}"}""");
        await job.UntilAsync("a node pulls", status => status.Number("active") == 1);
        (await Cluster.CtlAsync(["pause", "ctl-pause"], Cancellation)).Succeeded();
        var paused = await job.UntilAsync("the pull under way has ended", status => status.HasCondition("Suspended") && status.Number("active") == 0);
        Assert.Equal((1, 2), (paused.Number("succeeded"), paused.Number("waiting")));

        Assert.Contains("1 node at a time", (await Cluster.CtlAsync(["resume", "ctl-pause"], Cancellation)).Succeeded(), StringComparison.Ordinal);
        await job.CompletedAsync(nodes: 3);
        Assert.Equal(1, Local.Proxy!.MostNodesAtOnce(image.Repository));
    }

    [Fact]
    public async Task A_paused_list_keeps_its_jobs_and_what_they_reached()
    {
        var quick = await PushAsync("ctl-list-quick");
        var slow = await PushSlowAsync("ctl-list-slow", kilobytes: 1200, kilobytesPerSecond: 300);
        AtTheEnd(() => Api.DeleteAsync(Paths.List("default", "ctl-list"), Cancellation));
        (await Cluster.CtlAsync(["pull", quick.Reference, slow.Reference, "--name", "ctl-list", "-p", "1"], Cancellation)).Succeeded();
        await UntilAsync("the quick one is everywhere", async () => (await JobsAsync()).Exists(job => job.Image == quick.Reference && job.Done));
        var before = (await JobsAsync()).ConvertAll(job => job.Uid);

        (await Cluster.CtlAsync(["pause", "list/ctl-list"], Cancellation)).Succeeded();
        await UntilAsync("nobody downloads", () => Task.FromResult(Local.Proxy!.Downloading(slow.Repository).Count == 0));
        (await Cluster.CtlAsync(["resume", "list/ctl-list", "--parallelism", "3"], Cancellation)).Succeeded();
        var result = await Cluster.CtlAsync(["wait", "list/ctl-list"], Cancellation);
        Assert.True(result.ExitCode == 0, $"{result.Output}{result.Error}");
        Assert.Equal(before, (await JobsAsync()).ConvertAll(job => job.Uid));
        await HasImageAsync(slow, Nodes);
    }

    [Fact]
    public async Task A_cancelled_job_ends_at_once_stops_its_pulls_and_can_be_retried()
    {
        var image = await PushSlowAsync("ctl-cancel", kilobytes: 6000, kilobytesPerSecond: 50);
        var job = await JobAsync("ctl-cancel", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await UntilAsync("all nodes download", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 3));
        Assert.Contains("job default/ctl-cancel cancelled: 0 of 3 nodes have it".Replace("have it", $"have {image.Reference}", StringComparison.Ordinal),
            (await Cluster.CtlAsync(["cancel", "ctl-cancel"], Cancellation)).Succeeded(), StringComparison.Ordinal);
        var status = await job.FinishedAsync();
        Assert.Equal((0, 3), (status.Number("succeeded"), status.Number("failed")));
        await UntilAsync("nobody downloads any more", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 0));
        Assert.Equal(1, (await Cluster.CtlAsync(["cancel", "ctl-cancel"], Cancellation)).ExitCode);

        Local.Proxy!.Set(image.Repository, new Fault());
        var name = (await Cluster.CtlAsync(["retry", "ctl-cancel", Nodes[0], Nodes[1], "-p", "2", "-o", "name"], Cancellation)).Succeeded().Trim().Split('/')[1];
        Assert.StartsWith("ctl-cancel-retry-", name, StringComparison.Ordinal);
        var again = await AdoptAsync("default", name);
        await again.CompletedAsync(nodes: 2);
        await HasImageAsync(image, Nodes[0], Nodes[1]);
        await LacksImageAsync(image, Nodes[2]);
    }

    [Fact]
    public async Task A_cancelled_list_ends_with_its_jobs()
    {
        var first = await PushSlowAsync("ctl-cancel-1", kilobytes: 6000, kilobytesPerSecond: 50);
        var second = await PushSlowAsync("ctl-cancel-2", kilobytes: 6000, kilobytesPerSecond: 50);
        AtTheEnd(() => Api.DeleteAsync(Paths.List("default", "ctl-cancel-list"), Cancellation));
        (await Cluster.CtlAsync(["pull", first.Reference, second.Reference, "--name", "ctl-cancel-list", "-p", "10"], Cancellation)).Succeeded();
        await UntilAsync("both are downloaded", () => Task.FromResult(Local.Proxy!.Downloading(first.Repository).Count > 0 && Local.Proxy.Downloading(second.Repository).Count > 0));
        Assert.Contains("0 of 2 images are on all their nodes", (await Cluster.CtlAsync(["cancel", "ctl-cancel-list"], Cancellation)).Succeeded(), StringComparison.Ordinal);
        await UntilAsync("nobody downloads any more",
            () => Task.FromResult(Local.Proxy!.Downloading(first.Repository).Count + Local.Proxy.Downloading(second.Repository).Count == 0));
    }

    [Fact]
    public async Task A_deleted_job_is_gone_with_its_entries()
    {
        var image = await PushSlowAsync("ctl-delete", kilobytes: 6000, kilobytesPerSecond: 50);
        var job = await JobAsync("ctl-delete", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await job.UntilAsync("all nodes pull", status => status.Number("active") == 3);
        Assert.Contains("stops on 3 nodes", (await Cluster.CtlAsync(["delete", "ctl-delete"], Cancellation)).Succeeded(), StringComparison.Ordinal);
        await job.GoneAsync();
        await job.EntriesGoneAsync();
        var unknown = await Cluster.CtlAsync(["delete", "ctl-delete"], Cancellation);
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("there is no job or list \"ctl-delete\"", unknown.Error, StringComparison.Ordinal);
    }

    private async Task<List<(string Uid, string Image, bool Done)>> JobsAsync() =>
    [
        .. from job in await Api.ListAsync(Paths.Jobs("default"), Cancellation)
           where job["metadata"]!["ownerReferences"]?[0]?.Text("name") == "ctl-list"
           orderby job["spec"]!.Text("image")
           select (job["metadata"]!.Text("uid"), job["spec"]!.Text("image"), job["status"]?["completionTime"] is not null),
    ];
}
