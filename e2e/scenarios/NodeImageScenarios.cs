using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The life of a NodeImage, and what a person does with one directly (contract 2.1–2.8).</summary>
public sealed class NodeImageScenarios(SharedCluster shared) : Scenario(shared)
{
    [Fact]
    public async Task The_manuals_patch_pulls_ubuntu_and_is_forgotten_after_its_ttl()
    {
        var node = Cluster.NodeNames[0];
        // The manual's own patch; only its 300 seconds are 3 here.
        await Cluster.KubectlAsync(["patch", "nodeimage", node, "--type=merge", "-p", Manual.NodeImagePatch(ttlSecondsAfterFinished: 3)], Cancellation);

        await UntilAsync("ubuntu is pulled", async () => (await EntryStatusAsync(node, TestImage.Ubuntu))?.Text("phase") == "Succeeded");
        await HasImageAsync(TestImage.Ubuntu, node);
        var status = await EntryStatusAsync(node, TestImage.Ubuntu);
        Assert.Equal(100, status!.Number("progress"));
        Assert.StartsWith("docker.io/library/ubuntu@sha256:", status!.Text("imageID"), StringComparison.Ordinal);

        await UntilAsync("the entry is gone from spec and status", async () =>
            await EntryAsync(node, TestImage.Ubuntu) is null && await EntryStatusAsync(node, TestImage.Ubuntu) is null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)] // a version of containerd each
    public async Task Progress_is_real_and_never_falls(int nodeIndex)
    {
        var node = Cluster.NodeNames[nodeIndex];
        var image = await PushSlowAsync($"progress-{nodeIndex}", kilobytes: 12_000, kilobytesPerSecond: 500); // containerd counts a layer in MiB
        var seen = new List<int>();
        var bytes = new List<int>();
        JsonNode? last = null;

        await PatchEntryAsync(node, image);
        await UntilAsync("the pull has ended", async () =>
        {
            var status = last = await EntryStatusAsync(node, image);
            if (status is not null && (seen.Count == 0 || seen[^1] != status.Number("progress")))
                seen.Add(status.Number("progress"));
            if (status?["bytesDone"] is JsonNode done && (bytes.Count == 0 || bytes[^1] != done.GetValue<int>()))
                bytes.Add(done.GetValue<int>());
            return status?.Text("phase") == "Succeeded";
        });
        Assert.Equal(bytes.Order(), bytes);
        Assert.True(bytes.Count >= 3, $"bytes did not grow: {string.Join(' ', bytes)}");
        Assert.InRange(last!.Number("bytesTotal"), 12_000 * 1024, 12_100 * 1024);
        Assert.Equal(last!.Number("bytesTotal"), bytes[^1]);
        Assert.Equal(seen.Order(), seen);
        Assert.True(seen.Any(progress => progress is > 5 and < 95), $"no progress was shown on the way: {string.Join(' ', seen)}");
        Assert.Equal(100, seen[^1]);
    }

    [Fact]
    public async Task A_nodes_NodeImage_comes_with_it_follows_its_labels_and_goes_with_it()
    {
        Assert.SkipWhen(Cluster is not LocalCluster, "a kubelet owns the Nodes of kind");
        await Cluster.CreateNodeAsync("node-extra", new Dictionary<string, string> { ["zone"] = "a" }, Cancellation);
        await UntilAsync("the NodeImage is there, with the Node's labels", async () =>
            (await NodeImageAsync("node-extra"))?["metadata"]!["labels"]?["zone"]?.GetValue<string>() == "a");

        await Api.MergePatchAsync(Paths.Node("node-extra"), JsonNode.Parse("""{"metadata":{"labels":{"zone":"b","new":"label"}}}""")!, Cancellation);
        await UntilAsync("the labels are followed", async () =>
            JsonNode.DeepEquals((await NodeImageAsync("node-extra"))!["metadata"]!["labels"],
                (await Api.GetAsync(Paths.Node("node-extra"), Cancellation))!["metadata"]!["labels"]));

        await Api.DeleteAsync(Paths.Node("node-extra"), Cancellation);
        await UntilAsync("the NodeImage is gone", async () => await NodeImageAsync("node-extra") is null);
    }

    [Fact]
    public async Task A_fake_NodeImage_is_left_alone()
    {
        await Api.CreateAsync(Paths.NodeImages, JsonNode.Parse("""
            {"apiVersion":"apps.kruise.io/v1beta1","kind":"NodeImage","metadata":{"name":"fake","labels":{"apps.kruise.io/fake-nodeimage":"true"}},"spec":{}}
            """)!, Cancellation);
        try
        {
            // A NodeImage without a Node and without the label goes; when it has gone the controller has been past this one too.
            await Api.CreateAsync(Paths.NodeImages, JsonNode.Parse("""
                {"apiVersion":"apps.kruise.io/v1beta1","kind":"NodeImage","metadata":{"name":"orphan"},"spec":{}}
                """)!, Cancellation);
            await UntilAsync("the orphan is deleted", async () => await NodeImageAsync("orphan") is null);
            Assert.NotNull(await NodeImageAsync("fake"));
        }
        finally
        {
            await Api.DeleteAsync(Paths.NodeImage("fake"), Cancellation);
        }
    }

    [Fact]
    public async Task A_persons_entry_survives_the_jobs_that_come_and_go()
    {
        var node = Cluster.NodeNames[0];
        var mine = await PushAsync("by-hand");
        var other = await PushAsync("by-job");
        await PatchEntryAsync(node, mine);
        var job = await JobAsync("beside-a-person", $$$"""{"image":"{{{other.Reference}}}","selector":{"names":["{{{node}}}"]}}""");
        await job.CompletedAsync(nodes: 1);
        await job.DeleteAsync();
        await job.EntriesGoneAsync();

        Assert.NotNull(await EntryAsync(node, mine));
        await UntilAsync("mine is pulled too", async () => (await EntryStatusAsync(node, mine))?.Text("phase") == "Succeeded");
    }

    private Task PatchEntryAsync(string node, TestImage image) => Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse($$$"""
        {"spec":{"images":{"{{{image.Name}}}":{"tags":[{"tag":"{{{image.Tag}}}","pullPolicy":{"ttlSecondsAfterFinished":300} }] } } } }
        """)!, Cancellation);
}
