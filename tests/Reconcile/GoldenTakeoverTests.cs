using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Scenarios;
using KruiseImage.Sim.Api;
using KruiseImage.Tests.Tidy;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>
/// A job that OpenKruise left in the middle is taken over: what it reached counts, nothing is pulled again, and the documents lose
/// nothing, down to fields that no type of ours has. The patches are applied to the golden files as the API server would.
/// </summary>
public sealed class GoldenTakeoverTests
{
    private readonly World world = new();

    [Theory]
    [InlineData("1.0")]
    [InlineData("1.5")]
    [InlineData("1.9")]
    public void An_unfinished_job_of_OpenKruise_goes_on_and_nothing_is_lost(string version)
    {
        var (jobFile, nodeImageFile) = (Read(version, "imagepulljob"), Read(version, "nodeimage"));
        var job = jobFile.Deserialize(CrdJson.Default.ImagePullJob)!;
        var nodeImage = nodeImageFile.Deserialize(CrdJson.Default.NodeImage)!;
        world.SetNode("node-1", true, nodeImage.Metadata.Labels!);
        world.SetNode("node-2", true, []);
        world.Take(nodeImage);
        world.Take(job);
        world.Settle();

        Assert.Equal((2, 1, 1), (world.Job("warm").Status!.Desired, world.Job("warm").Status!.Succeeded, world.Job("warm").Status!.Active));
        Assert.Equal(1, world.Entry("node-1", "quay.io/team/app", "v1")!.Version); // it has the image already
        world.Report("node-2", PullPhase.Succeeded, image: "quay.io/team/app", tag: "v1");
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(world.Job("warm").Status!.CompletionTime);

        foreach (var patch in world.Writes.OfType<PatchNodeImage>().Where(patch => patch.Name == "node-1"))
            nodeImageFile = Patched(nodeImageFile, patch);
        foreach (var write in world.Writes.OfType<PatchJobStatus>())
            jobFile = Patched(jobFile, new ApiPatch(PatchKind.Merge, StatusPatch.Write("4711", write.Status, CrdJson.Default.ImagePullJobStatus)));

        Complaints.None(Lost(Read(version, "nodeimage"), nodeImageFile, ""));
        Complaints.None(Lost(Read(version, "imagepulljob"), jobFile, "").Where(path => !path.StartsWith("status.", StringComparison.Ordinal) || path.Contains("unknown", StringComparison.Ordinal)));
        Assert.Equal(2, jobFile["status"]!["succeeded"]!.GetValue<int>());
    }

    /// <summary>A second job wants the same image and more: the entry's policy is amended field by field.</summary>
    [Fact]
    public void A_policy_that_changes_keeps_what_else_it_holds()
    {
        var file = Read("1.9", "nodeimage");
        file["status"]!["imageStatuses"]!["quay.io/team/app"]!["tags"]![0]!["phase"] = PullPhase.Pulling;
        world.SetNode("node-1", true, []);
        world.Take(file.Deserialize(CrdJson.Default.NodeImage)!);
        world.Take(Read("1.9", "imagepulljob").Deserialize(CrdJson.Default.ImagePullJob)!);
        world.CreateJob("more", new ImagePullJobSpec { Image = "quay.io/team/app:v1", PullPolicy = new() { TimeoutSeconds = 900, BackoffLimit = 9 } });
        world.Settle();

        foreach (var patch in world.Writes.OfType<PatchNodeImage>().Where(patch => patch.Name == "node-1")) file = Patched(file, patch);
        var policy = file["spec"]!["images"]!["quay.io/team/app"]!["tags"]![0]!["pullPolicy"]!;
        Assert.Equal((900, 9, "kept"), (policy["timeoutSeconds"]!.GetValue<int>(), policy["backoffLimit"]!.GetValue<int>(), policy["unknownPolicy"]!.GetValue<string>()));
        Assert.Null(policy["activeDeadlineSeconds"]); // the second has none
    }

    private static JsonNode Read(string version, string kind) =>
        YamlJson.Read(File.ReadAllText(Path.Combine(SourceFile.Root, $"tests/Crds/Golden/openkruise-{version}/{kind}.yaml")))!;

    /// <summary>The generation rises with the spec, as the server has it; the patches test it.</summary>
    private static JsonObject Patched(JsonNode document, PatchNodeImage patch)
    {
        var patched = Patched(document, new ApiPatch(PatchKind.Json, patch.Patch));
        if (!JsonNode.DeepEquals(document["spec"], patched["spec"])) patched["metadata"]!["generation"] = patched["metadata"]!["generation"]!.GetValue<long>() + 1;
        return patched;
    }

    private static JsonObject Patched(JsonNode document, ApiPatch patch)
    {
        var patched = document.DeepClone().AsObject();
        Assert.Null(Patches.Apply(patched, patch));
        return patched;
    }

    /// <summary>
    /// What was there and is not any more, or is otherwise. Meant to change: the job's status, and of an entry of the job its TTL, which
    /// OpenKruise drew by chance and we take from the job.
    /// </summary>
    private static IEnumerable<string> Lost(JsonNode? before, JsonNode? after, string path) => (before, after) switch
    {
        _ when path is "metadata.generation" or "metadata.resourceVersion" || path.EndsWith("[v1].pullPolicy.ttlSecondsAfterFinished", StringComparison.Ordinal) => [],
        (JsonObject fields, JsonObject others) => fields.SelectMany(field => Lost(field.Value, others[field.Key], path.Length == 0 ? field.Key : $"{path}.{field.Key}")),
        (JsonArray items, JsonArray others) => items.SelectMany(item => Lost(item, others.FirstOrDefault(other => Key(other) == Key(item)), $"{path}[{Key(item)}]")),
        _ => JsonNode.DeepEquals(before, after) ? [] : [$"{path}: {before?.ToJsonString()} became {after?.ToJsonString() ?? "nothing"}"],
    };

    private static string? Key(JsonNode? item) => item is JsonObject fields ? (fields["tag"] ?? fields["uid"] ?? fields["name"])?.ToString() : item?.ToString();
}
