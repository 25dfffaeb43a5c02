using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Scenarios;

/// <summary>One ImageListPullJob of a scenario, in the default namespace.</summary>
public sealed class ImageList(Cluster cluster, string name)
{
    private string uid = "";

    private string Path => Paths.List("default", name);

    private static CancellationToken Cancellation => Xunit.TestContext.Current.CancellationToken;

    public async Task CreateAsync(string spec) => Remember(await cluster.Api.CreateAsync(Paths.Lists("default"), new JsonObject
    {
        ["apiVersion"] = "apps.kruise.io/v1beta1",
        ["kind"] = "ImageListPullJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = JsonNode.Parse(spec),
    }, Cancellation));

    /// <summary>As a person does, with the YAML of a file.</summary>
    public async Task ApplyAsync(string yaml)
    {
        await cluster.KubectlAsync(["apply", "--filename", "-"], Cancellation, yaml);
        Remember((await GetAsync())!);
    }

    public Task<JsonNode?> GetAsync() => cluster.Api.GetAsync(Path, Cancellation);

    public Task PatchAsync(string spec) =>
        cluster.Api.MergePatchAsync(Path, new JsonObject { ["spec"] = JsonNode.Parse(spec) }, Cancellation);

    public Task DeleteAsync() => cluster.Api.DeleteAsync(Path, Cancellation);

    /// <summary>The jobs that the list controls.</summary>
    public async Task<IReadOnlyList<JsonNode>> ChildrenAsync() =>
        [.. (await cluster.Api.ListAsync(Paths.Jobs("default"), Cancellation)).Where(job =>
            uid.Length > 0 && job["metadata"]!["ownerReferences"]?.AsArray().Any(owner => owner!.Text("uid") == uid) == true)];

    /// <summary>The one job for the image; null when there is none or more than one.</summary>
    public async Task<JsonNode?> ChildAsync(TestImage image) =>
        (await ChildrenAsync()).Where(job => job["spec"]!.Text("image") == image.Reference).ToList() is [var child] ? child : null;

    /// <summary>Waits until the status is so and returns it; the message of a timeout ends with the status seen last.</summary>
    public async Task<JsonNode> UntilAsync(string what, Func<JsonNode, bool> predicate)
    {
        JsonNode? seen = null;
        return await Eventually.GetAsync($"list {name}: {what}", TimeSpan.FromSeconds(60), async _ =>
        {
            seen = (await GetAsync())?["status"];
            return seen is not null && predicate(seen) ? seen : null;
        }, Cancellation, () => $"Last seen: {seen?.ToJsonString() ?? "no status"}. ");
    }

    /// <summary>Waits for the end, good or bad.</summary>
    public Task<JsonNode> FinishedAsync() => UntilAsync("finished", status => status["completionTime"] is not null);

    public Task GoneAsync() => Eventually.TrueAsync($"list {name} is gone", TimeSpan.FromSeconds(60), async _ => await GetAsync() is null, Cancellation);

    private void Remember(JsonNode list) => uid = list["metadata"]!.Text("uid");
}
