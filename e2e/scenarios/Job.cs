using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>One ImagePullJob of a scenario.</summary>
public sealed class Job(Cluster cluster, string ns, string name)
{
    private string? uid;

    public string Name => name;

    public string Key => $"{ns}/{name}";

    private string Path => Paths.Job(ns, name);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task CreateAsync(string spec) => Remember(await cluster.Api.CreateAsync(Paths.Jobs(ns), new JsonObject
    {
        ["apiVersion"] = "apps.kruise.io/v1beta1",
        ["kind"] = "ImagePullJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = JsonNode.Parse(spec),
    }, Cancellation));

    /// <summary>Takes charge of a job that kubectl or ctl created.</summary>
    public async Task AdoptAsync() => Remember(await cluster.Api.GetAsync(Path, Cancellation)
        ?? throw new InvalidOperationException($"there is no job {ns}/{name}"));

    public Task<JsonNode?> GetAsync() => cluster.Api.GetAsync(Path, Cancellation);

    public Task PatchAsync(string spec) =>
        cluster.Api.MergePatchAsync(Path, new JsonObject { ["spec"] = JsonNode.Parse(spec) }, Cancellation);

    public Task DeleteAsync() => cluster.Api.DeleteAsync(Path, Cancellation);

    /// <summary>The events on the job that give this reason.</summary>
    public async Task<IReadOnlyList<JsonNode>> EventsAsync(string reason) =>
    [
        .. (await cluster.Api.ListAsync(Paths.Events(ns), Cancellation)).Where(item =>
            item.Text("reason") == reason && item["involvedObject"]!.Text("kind") == "ImagePullJob" && item["involvedObject"]!.Text("name") == name),
    ];

    /// <summary>Waits until the status is so and returns it; the message of a timeout ends with the status seen last.</summary>
    public async Task<JsonNode> UntilAsync(string what, Func<JsonNode, bool> predicate, TimeSpan? within = null)
    {
        JsonNode? seen = null;
        return await Eventually.GetAsync($"job {name}: {what}", within ?? TimeSpan.FromSeconds(60), async _ =>
        {
            seen = (await GetAsync())?["status"];
            return seen is not null && predicate(seen) ? seen : null;
        }, Cancellation, () => $"Last seen: {seen?.ToJsonString() ?? "no status"}. ");
    }

    /// <summary>Waits for the end, good or bad.</summary>
    public Task<JsonNode> FinishedAsync() => UntilAsync("finished", status => status["completionTime"] is not null);

    public async Task<JsonNode> CompletedAsync(int nodes)
    {
        var status = await FinishedAsync();
        Assert.True(status.Number("succeeded") == nodes && status.Number("desired") == nodes && status.HasCondition("Complete"),
            $"expected {nodes} nodes to succeed: {status.ToJsonString()}");
        return status;
    }

    public Task GoneAsync() => Eventually.TrueAsync($"job {name} is gone", TimeSpan.FromSeconds(60), async _ => await GetAsync() is null, Cancellation);

    /// <summary>Waits until no NodeImage has an entry of the job.</summary>
    public Task EntriesGoneAsync() => Eventually.TrueAsync($"the entries of job {name} are gone", TimeSpan.FromSeconds(60), async token =>
        (await cluster.Api.ListAsync(Paths.NodeImages, token)).All(nodeImage => uid is null || !(nodeImage["spec"]?.ToJsonString() ?? "").Contains(uid, StringComparison.Ordinal)),
        Cancellation);

    private void Remember(JsonNode job) => uid = job["metadata"]!["uid"]!.GetValue<string>();
}
