using System.Net;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Images that cannot be had and objects that make no sense: a typed reason, a sentence, nothing stuck (contract 1.3, 1.4, 2.8, 3.3).</summary>
public sealed class FailureScenarios(SharedCluster shared) : Scenario(shared)
{
    private string[] Nodes => [.. Cluster.NodeNames];

    [Fact]
    public async Task An_image_that_is_not_in_the_registry_fails_as_NotFound()
    {
        var job = await JobAsync("not-found", """{"image":"e2e/no-such-image:1","parallelism":10}""");
        var status = await job.FinishedAsync();
        Assert.Equal((3, 0, 3), (status.Number("desired"), status.Number("succeeded"), status.Number("failed")));
        Assert.True(status.HasCondition("Failed"));
        Assert.Equal(3, status.Failure("NotFound")!.Number("count"));
        Assert.Equal(Nodes, status.Strings("failedNodes"));
    }

    [Fact]
    public async Task An_image_for_another_architecture_fails_as_NoMatchingPlatform()
    {
        await Cluster.Registry.PushForArchitectureAsync("e2e/other-architecture", "1", new ImageContent(7, 1000, architecture: "s390x"), "s390x", Cancellation);
        var job = await JobAsync("other-architecture", """{"image":"e2e/other-architecture:1","parallelism":10}""");
        var status = await job.FinishedAsync();
        Assert.Equal(3, status.Failure("NoMatchingPlatform")!.Number("count"));
    }

    [Fact]
    public async Task A_registry_that_comes_back_is_tried_again()
    {
        var image = await PushAsync("comes-back");
        Local.Proxy!.Set(image.Repository, new Fault(Status: HttpStatusCode.ServiceUnavailable));
        var job = await JobAsync("comes-back", $$$"""{"image":"{{{image.Reference}}}","parallelism":10,"pullPolicy":{"backoffLimit":10}}""");
        await UntilAsync("every node has tried", () =>
            Task.FromResult(Local.Proxy.Requests(image.Repository).Select(request => request.Node).Distinct().Count() == 3));

        Local.Proxy.Heal(image.Repository);
        await job.CompletedAsync(nodes: 3);
    }

    [Fact]
    public async Task A_registry_that_stays_away_fails_as_RegistryUnavailable()
    {
        var image = await PushAsync("stays-away");
        Local.Proxy!.Set(image.Repository, new Fault(Status: HttpStatusCode.BadGateway));
        var job = await JobAsync("stays-away", $$$"""{"image":"{{{image.Reference}}}","parallelism":10,"pullPolicy":{"backoffLimit":0}}""");
        var status = await job.FinishedAsync();
        Assert.Equal(3, status.Failure("RegistryUnavailable")!.Number("count"));
    }

    [Fact]
    public async Task A_registry_that_hangs_fails_as_Timeout()
    {
        var image = await PushAsync("hangs");
        Local.Proxy!.Set(image.Repository, new Fault(Hang: true));
        var job = await JobAsync("hangs", $$$"""{"image":"{{{image.Reference}}}","parallelism":10,"pullPolicy":{"backoffLimit":0,"timeoutSeconds":2}}""");
        var status = await job.FinishedAsync();
        Assert.Equal(3, status.Failure("Timeout")!.Number("count"));
        Local.Proxy.Heal(image.Repository);
    }

    /// <summary>What the schema alone cannot refuse. A server with CEL (1.25) refuses it at the door; an older one leaves it to the controller.</summary>
    [Theory]
    [InlineData("both-selectors", """{"image":"nginx:1.9.1","selector":{"names":["node-1"],"matchLabels":{"a":"b"}}}""")]
    [InlineData("selector-and-pods", """{"image":"nginx:1.9.1","selector":{"names":["node-1"]},"podSelector":{"matchLabels":{"a":"b"}}}""")]
    [InlineData("malformed-image", """{"image":"Not A Reference:!!"}""")]
    [InlineData("never-with-ttl", """{"image":"nginx:1.9.1","completionPolicy":{"type":"Never","ttlSecondsAfterFinished":5}}""")]
    [InlineData("deadline-below-timeout", """{"image":"nginx:1.9.1","pullPolicy":{"timeoutSeconds":60},"completionPolicy":{"activeDeadlineSeconds":5}}""")]
    public async Task An_invalid_job_is_refused_or_marked_and_touches_no_node(string name, string spec)
    {
        Job job;
        try
        {
            job = await JobAsync("invalid-" + name, spec);
        }
        catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.UnprocessableEntity)
        {
            return;
        }
        var status = await job.UntilAsync("it is marked Invalid", status => status.HasCondition("Invalid"));
        Assert.NotEmpty(status.Condition("Invalid")!.Text("message"));
        Assert.Equal(0, status.Number("active"));
        foreach (var node in Nodes)
            Assert.Null(await EntryAsync(node, TestImage.Nginx));
    }
}
