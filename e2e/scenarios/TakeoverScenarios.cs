using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// What a cluster looks like when OpenKruise was switched off in the middle of a job: the golden files of its versions
/// (tests/Crds/Golden), on a real API server, with our controller and daemons at work (contract 3.11).
/// </summary>
public sealed class TakeoverScenarios(SharedCluster shared) : Scenario(shared)
{
    private static readonly string Golden = Path.Combine(Parts.RepositoryRoot, "tests/Crds/Golden");

    [Theory]
    [InlineData("1.0")]
    [InlineData("1.5")]
    [InlineData("1.9")]
    public async Task Objects_of_OpenKruise_are_taken_over_and_lose_nothing(string version)
    {
        var (first, second) = (Cluster.NodeNames[0], Cluster.NodeNames[1]);
        await Cluster.Registry.PushAsync("team/app", "v1", new ImageContent(11, 100 * 1024), Cancellation); // quay.io leads to our registry too
        var job = Read(version, "imagepulljob", first, second);
        var nodeImage = Read(version, "nodeimage", first, second);
        // The job exists before its entries do, or they would be nobody's: paused, as nothing may happen yet.
        job["spec"]!["parallelism"] = 0;
        var created = await Api.CreateAsync(Collection(job), job, Cancellation);
        await AdoptAsync("default", "warm");
        var uid = created["metadata"]!["uid"]!.GetValue<string>();
        nodeImage["spec"]!["images"]!["quay.io/team/app"]!["tags"]![0]!["ownerReferences"]![0]!["uid"] = uid;
        await Api.MergePatchAsync(Paths.NodeImage(first), new JsonObject { ["spec"] = nodeImage["spec"]!.DeepClone() }, Cancellation);
        await Api.MergePatchAsync(Paths.NodeImage(first) + "/status", new JsonObject { ["status"] = nodeImage["status"]!.DeepClone() }, Cancellation);
        await Api.MergePatchAsync(Paths.Job("default", "warm") + "/status", new JsonObject { ["status"] = job["status"]!.DeepClone() }, Cancellation);
        try
        {
            await Api.MergePatchAsync(Paths.Job("default", "warm"), JsonNode.Parse("""{"spec":{"parallelism":1}}""")!, Cancellation);
            var status = await (await AdoptAsync("default", "warm")).CompletedAsync(nodes: 2);
            Assert.Equal("2026-11-24T23:59:00Z", status.Text("startTime"));

            var after = (await Api.GetAsync(Paths.Job("default", "warm"), Cancellation))!;
            job["spec"]!["parallelism"] = 1;
            Assert.Empty(Lost(job["spec"], after["spec"], "spec"));
            Assert.Equal("web", after["metadata"]!["labels"]!.Text("team"));
            // A person's entry and one of a stranger are as they were, whatever became of the job's.
            var images = (await NodeImageAsync(first))!["spec"]!["images"]!;
            Assert.Empty(Lost(nodeImage["spec"]!["images"]!["ubuntu"], images["ubuntu"], "ubuntu"));
            Assert.Empty(Lost(nodeImage["spec"]!["images"]!["quay.io/team/app"], images["quay.io/team/app"], "app"));
        }
        finally
        {
            await Api.MergePatchAsync(Paths.NodeImage(first), JsonNode.Parse("""{"spec":{"images":{"quay.io/team/app":null,"ubuntu":null} } }""")!, CancellationToken.None);
        }
    }

    /// <summary>Finished jobs and lists stay as they are until somebody deletes them; then OpenKruise's finalizer holds nothing up.</summary>
    [Theory]
    [InlineData("1.0", "imagepulljob-pods")]
    [InlineData("1.5", "imagepulljob-pods")]
    [InlineData("1.9", "imagepulljob-pods")]
    public async Task A_finished_job_of_OpenKruise_is_left_alone_and_can_be_deleted(string version, string file)
    {
        var job = Read(version, file, Cluster.NodeNames[0], Cluster.NodeNames[1]);
        job["metadata"]!["finalizers"] = new JsonArray("apps.kruise.io/deletion-protection");
        job["spec"]!["parallelism"] = 0; // until it has the status of a finished one
        await Api.CreateAsync(Collection(job), job, Cancellation);
        var path = Paths.Job("default", "warm-pods");
        var before = await Api.MergePatchAsync(path + "/status", new JsonObject { ["status"] = job["status"]!.DeepClone() }, Cancellation);
        await (await JobAsync("beside-finished", """{"image":"nginx:1.9.1","parallelism":10}""")).CompletedAsync(nodes: Cluster.NodeNames.Count);
        Assert.Empty(Lost(before["status"], (await Api.GetAsync(path, Cancellation))!["status"], "status"));

        await Api.DeleteAsync(path, Cancellation);
        await UntilAsync("it is gone", async () => await Api.GetAsync(path, Cancellation) is null);
    }

    private static JsonObject Read(string version, string kind, string first, string second)
    {
        var yaml = File.ReadAllText(Path.Combine(Golden, $"openkruise-{version}", kind + ".yaml"))
            .Replace("node-1", first, StringComparison.Ordinal).Replace("node-2", second, StringComparison.Ordinal);
        var read = YamlJson.Read(yaml)!.AsObject();
        // What the server gives.
        foreach (var field in (string[])["uid", "resourceVersion", "generation", "creationTimestamp"]) read["metadata"]!.AsObject().Remove(field);
        return read;
    }

    private static string Collection(JsonNode job) => $"/apis/{job.Text("apiVersion")}/namespaces/default/imagepulljobs";

    /// <summary>
    /// What was there and is not any more, or is otherwise. Fields that no schema has are pruned by the server before we see them; the TTL of
    /// an entry of the job is ours, and its secrets are those that exist.
    /// </summary>
    private static IEnumerable<string> Lost(JsonNode? before, JsonNode? after, string path) => (before, after) switch
    {
        (_, null) when path == "app.tags[v1]" => [], // its job is over, and its TTL passed long ago
        _ when path.Contains(".unknown", StringComparison.Ordinal) || path.EndsWith("[v1].pullPolicy.ttlSecondsAfterFinished", StringComparison.Ordinal)
            || path == "app.pullSecrets" => [],
        (JsonObject fields, JsonObject others) => fields.SelectMany(field => Lost(field.Value, others[field.Key], $"{path}.{field.Key}")),
        (JsonArray items, JsonArray others) => items.SelectMany(item => Lost(item, others.FirstOrDefault(other => Key(other) == Key(item)), $"{path}[{Key(item)}]")),
        _ => JsonNode.DeepEquals(before, after) ? [] : [$"{path}: {before?.ToJsonString()} became {after?.ToJsonString() ?? "nothing"}"],
    };

    private static string? Key(JsonNode? item) => item is JsonObject fields ? (fields["tag"] ?? fields["uid"] ?? fields["name"] ?? fields["key"])?.ToString() : item?.ToString();
}
