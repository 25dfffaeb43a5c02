using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>How a job goes, is paused, edited and ended (contract 3.2–3.4, 3.8–3.10).</summary>
public sealed class JobControlScenarios(SharedCluster shared) : Scenario(shared)
{
    private string[] Nodes => [.. Cluster.NodeNames];

    [Fact]
    public async Task Parallelism_1_never_has_two_nodes_pulling()
    {
        var image = await PushSlowAsync("one-by-one", kilobytes: 600, kilobytesPerSecond: 400);
        var mostActive = 0;
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var watch = Task.Run(async () =>
        {
            await foreach (var change in Api.WatchAsync(Paths.Jobs("default"), watching.Token))
                mostActive = Math.Max(mostActive, change["object"]!["status"]?.Number("active") ?? 0);
        }, watching.Token);

        var job = await JobAsync("one-by-one", $$$"""{"image":"{{{image.Reference}}}"}""");
        await job.CompletedAsync(nodes: 3);
        await watching.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch);

        Assert.Equal(1, mostActive);
        Assert.Equal(1, Local.Proxy!.MostNodesAtOnce(image.Repository)); // and this is what the registry saw
    }

    [Fact]
    public async Task Parallelism_2_is_used_in_full()
    {
        var image = await PushSlowAsync("two-by-two", kilobytes: 1000, kilobytesPerSecond: 300);
        var job = await JobAsync("two-by-two", $$$"""{"image":"{{{image.Reference}}}","parallelism":2}""");
        await job.CompletedAsync(nodes: 3);
        Assert.Equal(2, Local.Proxy!.MostNodesAtOnce(image.Repository));
    }

    [Fact]
    public async Task Parallelism_0_pauses_and_raising_it_resumes()
    {
        var image = await PushAsync("paused");
        var job = await JobAsync("paused", $$$"""{"image":"{{{image.Reference}}}","parallelism":0}""");
        var paused = await job.UntilAsync("it is suspended", status => status.HasCondition("Suspended"));
        Assert.Equal((3, 0, 3), (paused.Number("desired"), paused.Number("active"), paused.Number("waiting")));
        foreach (var node in Nodes)
            Assert.Null(await EntryAsync(node, image));

        await job.PatchAsync("""{"parallelism":10}""");
        var status = await job.CompletedAsync(nodes: 3);
        Assert.False(status.HasCondition("Suspended"));
    }

    [Fact]
    public async Task ActiveDeadlineSeconds_ends_the_job_and_stops_the_pulls()
    {
        var image = await PushSlowAsync("deadline", kilobytes: 6000, kilobytesPerSecond: 50);
        var job = await JobAsync("deadline", $$$"""
            {"image":"{{{image.Reference}}}","parallelism":10,"pullPolicy":{"timeoutSeconds":2},"completionPolicy":{"type":"Always","activeDeadlineSeconds":4}}
            """);
        var status = await job.FinishedAsync();
        Assert.Equal((3, 0, 3), (status.Number("desired"), status.Number("succeeded"), status.Number("failed")));
        Assert.True(status.HasCondition("Failed"));
        await UntilAsync("nobody downloads any more", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 0));
        await LacksImageAsync(image, Nodes);
    }

    [Fact]
    public async Task TtlSecondsAfterFinished_deletes_the_job_and_its_entries()
    {
        var image = await PushAsync("short-lived");
        var job = await JobAsync("short-lived", $$$"""
            {"image":"{{{image.Reference}}}","parallelism":10,"completionPolicy":{"type":"Always","ttlSecondsAfterFinished":2}}
            """);
        await job.CompletedAsync(nodes: 3);
        await job.GoneAsync();
        await job.EntriesGoneAsync();
        await HasImageAsync(image, Nodes);
    }

    [Fact]
    public async Task Deleting_a_job_stops_its_pulls_and_removes_its_entries()
    {
        var image = await PushSlowAsync("deleted", kilobytes: 6000, kilobytesPerSecond: 50);
        var job = await JobAsync("deleted", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await UntilAsync("all nodes download", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 3));

        await job.DeleteAsync();
        await job.EntriesGoneAsync();
        await UntilAsync("nobody downloads any more", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 0));
        await UntilAsync("the statuses are gone", async () =>
        {
            foreach (var node in Nodes)
                if (await EntryStatusAsync(node, image) is not null)
                    return false;
            return true;
        });
        await LacksImageAsync(image, Nodes);
    }

    [Fact]
    public async Task Editing_the_image_of_a_running_job_takes_effect()
    {
        var before = await PushSlowAsync("edited-before", kilobytes: 6000, kilobytesPerSecond: 50);
        var after = await PushAsync("edited-after");
        var job = await JobAsync("edited", $$$"""{"image":"{{{before.Reference}}}","parallelism":10}""");
        await UntilAsync("all nodes download", () => Task.FromResult(Local.Proxy!.Downloading(before.Repository).Count == 3));

        await job.PatchAsync($$$"""{"image":"{{{after.Reference}}}"}""");
        await job.UntilAsync("the new image is everywhere", status =>
            status.Number("succeeded") == 3 && status.Number("observedGeneration") == 2 && status["completionTime"] is not null);
        await HasImageAsync(after, Nodes);
        await LacksImageAsync(before, Nodes);
        await UntilAsync("the old entry is gone", async () => await EntryAsync(Nodes[0], before) is null);
    }

    [Fact]
    public async Task Two_jobs_for_one_image_share_one_pull()
    {
        var image = await PushSlowAsync("shared", kilobytes: 900, kilobytesPerSecond: 300);
        var spec = $$$"""{"image":"{{{image.Reference}}}","selector":{"names":["{{{Nodes[0]}}}"]}}""";
        var first = await JobAsync("shared-first", spec);
        var second = await JobAsync("shared-second", spec);
        await first.CompletedAsync(nodes: 1);
        await second.CompletedAsync(nodes: 1);
        var layers = Local.Proxy!.Requests(image.Repository).Where(request => request.Path.Contains("/blobs/", StringComparison.Ordinal));
        Assert.Equal(4, layers.Count()); // three layers and the configuration, once

        await first.DeleteAsync();
        await first.EntriesGoneAsync();
        Assert.NotNull(await EntryAsync(Nodes[0], image)); // the second still owns it
    }

    [Fact]
    public async Task A_job_that_never_completes_gives_a_new_node_the_image()
    {
        var image = await PushAsync("forever");
        var job = await JobAsync("forever", $$$"""{"image":"{{{image.Reference}}}","parallelism":10,"completionPolicy":{"type":"Never"}}""");
        var status = await job.UntilAsync("all nodes have it", status => status.Number("succeeded") == 3);
        Assert.Null(status["completionTime"]);
        Assert.False(status.HasCondition("Complete"));
    }
}
