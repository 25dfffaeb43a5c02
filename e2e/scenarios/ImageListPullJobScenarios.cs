using System.Net;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Several images in one object: its jobs follow it, and its status follows them (contract 6.1).</summary>
public sealed class ImageListPullJobScenarios(SharedCluster shared) : Scenario(shared)
{
    private readonly List<ImageList> lists = [];

    private string[] Nodes => [.. Cluster.NodeNames];

    /// <summary>
    /// The bed has no controller-manager, so nobody collects the garbage that a deleted list leaves: its jobs are deleted here. A
    /// controller that has not heard of the list's end yet may make one again, so it is looked for more than once.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        foreach (var list in lists) await list.DeleteAsync();
        foreach (var list in lists)
        {
            foreach (var child in await list.ChildrenAsync()) await AdoptAsync("default", child["metadata"]!.Text("name"));
        }

        await base.DisposeAsync();
        foreach (var list in lists)
        {
            await UntilAsync("the list has left no job", async () =>
            {
                var children = await list.ChildrenAsync();
                foreach (var child in children) await Api.DeleteAsync(Paths.Job("default", child["metadata"]!.Text("name")), Cancellation);
                return children.Count == 0;
            });
        }
    }

    [Fact]
    public async Task A_list_as_people_write_it_completes_when_every_node_has_every_image()
    {
        var (first, second) = (await PushAsync("list-first"), await PushAsync("list-second"));
        var list = NewList("list-people");
        await list.ApplyAsync($"""
            apiVersion: apps.kruise.io/v1alpha1
            kind: ImageListPullJob
            metadata:
              name: list-people
            spec:
              images:
              - {first.Reference}
              - {second.Reference}
              parallelism: 10
              selector:
                matchLabels:
                  node-type: xxx
              completionPolicy:
                type: Always
                activeDeadlineSeconds: 1200
                ttlSecondsAfterFinished: 300
              pullPolicy:
                backoffLimit: 3
                timeoutSeconds: 300
            """);
        var status = await list.FinishedAsync();
        Assert.Equal((2, 0, 2, 2), (status.Number("desired"), status.Number("active"), status.Number("completed"), status.Number("succeeded")));
        Assert.True(status.HasCondition("Complete"), status.ToJsonString());
        Assert.NotNull(status["startTime"]);
        Assert.Equal(1, status.Number("observedGeneration"));
        await HasImageAsync(first, Nodes);
        await HasImageAsync(second, Nodes);

        var child = (await list.ChildAsync(first))!;
        Assert.StartsWith("list-people-", child["metadata"]!.Text("name"), StringComparison.Ordinal);
        Assert.Equal("list-people-", child["metadata"]!.Text("generateName"));
        Assert.NotEmpty(child["metadata"]!["labels"]!.Text("controller-revision-hash"));
        Assert.True(child["metadata"]!["ownerReferences"]![0]!["controller"]!.GetValue<bool>());
        Assert.Null(child["spec"]!["completionPolicy"]!["ttlSecondsAfterFinished"]); // its end must not come before the list's

        var table = await Cluster.KubectlAsync(["get", "imagelistpulljobs", "list-people"], Cancellation);
        Assert.Matches(@"^NAME +TOTAL +SUCCEEDED +COMPLETED +AGE\s+list-people +2 +2 +2 ", table);
        await UntilAsync("an event says so", async () => (await Api.ListAsync(Paths.Events("default"), Cancellation)).Any(item =>
            item.Text("reason") == "JobCompleted" && item["involvedObject"]!.Text("kind") == "ImageListPullJob" && item["involvedObject"]!.Text("name") == "list-people"));
    }

    [Fact]
    public async Task An_image_that_is_added_is_pulled_and_one_that_is_removed_is_let_go()
    {
        var slow = await PushSlowAsync("list-slow", kilobytes: 6000, kilobytesPerSecond: 50); // the list must not end meanwhile
        var (removed, added) = (await PushAsync("list-removed"), await PushAsync("list-added"));
        var list = await ListAsync("list-follows", Spec("\"parallelism\":10", slow, removed));
        await list.UntilAsync("the fast image is everywhere", status => status.Number("completed") == 1);

        await list.PatchAsync(Spec("\"parallelism\":10", slow, added));
        var status = await list.UntilAsync("the added image is everywhere", status => status.Number("completed") == 1 && status.Number("observedGeneration") == 2);
        Assert.Equal((2, 1, 1), (status.Number("desired"), status.Number("active"), status.Number("succeeded")));
        await HasImageAsync(added, Nodes);
        Assert.Null(await list.ChildAsync(removed));
        await UntilAsync("the entry of the removed image is gone", async () => await EntryAsync(Nodes[0], removed) is null);
    }

    [Fact]
    public async Task Another_template_makes_the_jobs_anew_and_the_pull_under_way_goes_on()
    {
        var image = await PushSlowAsync("list-template", kilobytes: 2000, kilobytesPerSecond: 100);
        var list = await ListAsync("list-template", Spec($"\"selector\":{{\"names\":[\"{Nodes[0]}\"]}}", image));
        await UntilAsync("the node downloads", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 1));
        var before = (await list.ChildAsync(image))!["metadata"]!;
        var version = (await EntryAsync(Nodes[0], image))!.Number("version");

        await list.PatchAsync("""{"parallelism":7}""");
        await UntilAsync("there is another job", async () => (await list.ChildAsync(image))?["metadata"]!.Text("uid") is { } uid && uid != before.Text("uid"));
        var after = (await list.ChildAsync(image))!;
        Assert.Equal(7, after["spec"]!.Number("parallelism"));
        Assert.NotEqual(before["labels"]!.Text("controller-revision-hash"), after["metadata"]!["labels"]!.Text("controller-revision-hash"));
        Local.Proxy!.Heal(image.Repository);
        var status = await list.FinishedAsync();
        Assert.Equal((1, 2), (status.Number("succeeded"), status.Number("observedGeneration")));
        Assert.Equal(version, (await EntryAsync(Nodes[0], image))!.Number("version"));
    }

    [Fact]
    public async Task A_failing_image_is_named_with_its_job_and_the_list_fails()
    {
        var good = await PushAsync("list-good");
        var bad = new TestImage("e2e/list-no-such-image", "1");
        var list = await ListAsync("list-fails", Spec("\"parallelism\":10", good, bad));
        var status = await list.FinishedAsync();
        Assert.Equal((2, 2, 1), (status.Number("desired"), status.Number("completed"), status.Number("succeeded")));
        Assert.Equal("1 of 2 images failed", status.Condition("Failed")!.Text("message"));
        Assert.False(status.HasCondition("Complete"));
        var failure = Assert.Single(status["failedImageStatuses"]!.AsArray())!;
        Assert.Equal((bad.Reference, (await list.ChildAsync(bad))!["metadata"]!.Text("name")), (failure.Text("name"), failure.Text("imagePullJob")));
        Assert.Contains("3 of 3 nodes failed, NotFound", failure.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TtlSecondsAfterFinished_deletes_the_list_and_its_jobs_are_its_own()
    {
        var image = await PushAsync("list-short-lived");
        var list = await ListAsync("list-short-lived", Spec("\"parallelism\":10,\"completionPolicy\":{\"type\":\"Always\",\"ttlSecondsAfterFinished\":2}", image));
        await list.FinishedAsync();
        await list.GoneAsync();
        await HasImageAsync(image, Nodes);
        var denied = Cluster is LocalCluster local ? local.ControlPlane.DeniedRequests() : [];
        Assert.True(denied.Count == 0, string.Join('\n', denied));
        // The garbage collection of a cluster takes this one: its owner is gone.
        Assert.All(await list.ChildrenAsync(), child => Assert.Equal("ImageListPullJob", Assert.Single(child["metadata"]!["ownerReferences"]!.AsArray())!.Text("kind")));
    }

    [Fact]
    public async Task A_job_that_a_person_deletes_is_made_again()
    {
        var image = await PushSlowAsync("list-again", kilobytes: 3000, kilobytesPerSecond: 100);
        var list = await ListAsync("list-again", Spec("\"parallelism\":10", image));
        await UntilAsync("the job is there", async () => await list.ChildAsync(image) is not null);
        var child = (await list.ChildAsync(image))!["metadata"]!;
        await Api.DeleteAsync(Paths.Job("default", child.Text("name")), Cancellation);
        await UntilAsync("there is another", async () => (await list.ChildAsync(image))?["metadata"]!.Text("uid") is { } uid && uid != child.Text("uid"));
        Local.Proxy!.Heal(image.Repository);
        Assert.Equal(1, (await list.FinishedAsync()).Number("succeeded"));
    }

    /// <summary>The schema refuses duplicates on every server; a malformed image is refused by CEL, or by the controller of an older server.</summary>
    [Theory]
    [InlineData("twice", """{"images":["nginx:1.9.1","nginx:1.9.1"]}""")]
    [InlineData("none", """{"images":[]}""")]
    [InlineData("malformed", """{"images":["nginx:1.9.1","Not A Reference:!!"]}""")]
    public async Task An_invalid_list_is_refused_or_marked_and_makes_no_job(string name, string spec)
    {
        ImageList list;
        try
        {
            list = await ListAsync("list-invalid-" + name, spec);
        }
        catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.UnprocessableEntity)
        {
            return;
        }

        var status = await list.UntilAsync("it is marked Invalid", status => status.HasCondition("Invalid"));
        Assert.NotEmpty(status.Condition("Invalid")!.Text("message"));
        Assert.Empty(await list.ChildrenAsync());
    }

    private static string Spec(string template, params TestImage[] images) =>
        $$"""{"images":{{new JsonArray([.. images.Select(image => JsonValue.Create(image.Reference))]).ToJsonString()}},{{template}}}""";

    private ImageList NewList(string name)
    {
        var list = new ImageList(Cluster, name);
        lists.Add(list);
        return list;
    }

    private async Task<ImageList> ListAsync(string name, string spec)
    {
        var list = NewList(name);
        await list.CreateAsync(spec);
        return list;
    }
}
