using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Images by digest, and a tag that is another image halfway (contract 2.2, 3.3).</summary>
public sealed class DigestScenarios(SharedCluster shared) : Scenario(shared)
{
    private string[] Nodes => [.. Cluster.NodeNames];

    [Theory]
    [InlineData("digest", "{0}@{2}")]
    [InlineData("tag-and-digest", "{0}:{1}@{2}")]
    public async Task A_digest_is_pulled_as_such_on_every_node(string name, string format)
    {
        var content = new ImageContent(Seed(name), 100 * 1024);
        var byTag = new TestImage($"e2e/{name}", "1");
        await Cluster.Registry.PushAsync(byTag.Repository, byTag.Tag, content, Cancellation);
        var byDigest = byTag with { Tag = content.ManifestDigest };

        var reference = string.Format(null, format, byTag.Name, byTag.Tag, byDigest.Tag);
        var job = await JobAsync(name, $$$"""{"image":"{{{reference}}}","parallelism":10}""");
        var status = await job.CompletedAsync(nodes: 3);
        Assert.Equal($"docker.io/{byDigest.Reference}", Assert.Single(status["digests"]!.AsArray())!.Text("imageID"));
        foreach (var node in Nodes)
        {
            Assert.NotNull(await EntryAsync(node, byDigest));
            Assert.Null(await EntryAsync(node, byTag)); // the digest is what counts
            Assert.Equal($"docker.io/{byDigest.Reference}", (await EntryStatusAsync(node, byDigest))!.Text("imageID"));
        }
        await HasImageAsync(byDigest, Nodes);
        await LacksImageAsync(byTag, Nodes);
    }

    [Fact]
    public async Task A_tag_that_moves_during_a_job_shows_as_two_digests()
    {
        var image = await PushSlowAsync("moved", kilobytes: 1000, kilobytesPerSecond: 100);
        var job = await JobAsync("moved", $$$"""{"image":"{{{image.Reference}}}"}""");
        await UntilAsync("the first node downloads", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 1));

        var moved = new ImageContent(Seed("moved elsewhere"), 100 * 1024);
        await Cluster.Registry.PushAsync(image.Repository, image.Tag, moved, Cancellation);
        Local.Proxy!.Heal(image.Repository);
        var status = await job.CompletedAsync(nodes: 3);
        var digests = status["digests"]!.AsArray().ToDictionary(digest => digest!.Text("imageID"), digest => digest!.Number("count"));
        Assert.Equal([1, 2], digests.Values.Order());
        Assert.Equal(2, digests[$"docker.io/{image.Name}@{moved.ManifestDigest}"]);
    }
}
