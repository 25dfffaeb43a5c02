using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>
/// What scenarios with a broken world have in common: each ends, within a time that it states, in the very state that it would have
/// come to without the fault, or with every node failed for the one right reason. Either way nothing is left over.
/// </summary>
public abstract class FaultScenario(SharedCluster shared) : SecretScenario(shared)
{
    /// <summary>More than the two MiB that containerd has written by then.</summary>
    protected const long Part = 2_500_000;
    protected const int LayersOfBig = 3;

    protected RegistryProxy Proxy => Local.Proxy!;

    /// <summary>An image with three layers of 4 MB.</summary>
    protected Task<TestImage> PushBigAsync(string name) => PushAsync(name, kilobytes: 4000 * LayersOfBig);

    /// <summary>Until the scenario heals the repository, or ends.</summary>
    protected void Break(TestImage image, Fault fault)
    {
        Proxy.Set(image.Repository, fault);
        AtTheEnd(() =>
        {
            Proxy.Heal(image.Repository);
            return Task.CompletedTask;
        });
    }

    protected static string Spec(TestImage image, int backoffLimit = 20, int timeoutSeconds = 600, string? node = null) => new JsonObject
    {
        ["image"] = image.Reference,
        ["parallelism"] = 10,
        ["selector"] = node is null ? null : new JsonObject { ["names"] = new JsonArray(node) },
        ["pullPolicy"] = new JsonObject { ["backoffLimit"] = backoffLimit, ["timeoutSeconds"] = timeoutSeconds },
    }.ToJsonString();

    /// <summary>Waits until every node says that this is what holds its pull up.</summary>
    protected async Task HeldUpAsync(TestImage image, string reason, params string[] nodes)
    {
        foreach (var node in nodes.Length > 0 ? nodes : Nodes)
            await UntilAsync($"{node} says {reason}", async () => (await EntryStatusAsync(node, image))?.Text("reason") == reason);
    }

    /// <summary>The job completes in time, and all is as after any job that did.</summary>
    protected async Task CompletesAsync(Job job, TestImage image, int withinSeconds, params string[] nodes)
    {
        nodes = nodes.Length > 0 ? nodes : Nodes;
        var status = await job.UntilAsync("finished", status => status["completionTime"] is not null, TimeSpan.FromSeconds(withinSeconds));
        Assert.True(status.HasCondition("Complete") && !status.HasCondition("Failed") && status["failures"] is null, $"{job.Key} was to complete: {status.ToJsonString()}");
        Assert.Equal((nodes.Length, nodes.Length, 0, 0), (status.Number("desired"), status.Number("succeeded"), status.Number("failed"), status.Number("active")));
        await HasImageAsync(image, nodes);
        await EndedAsync(image, "Succeeded", "", nodes);
    }

    /// <summary>The job fails in time, on every node for this reason, and all is as after any job that did. Returns what one node says.</summary>
    protected async Task<string> FailsAsync(Job job, TestImage image, string reason, int withinSeconds, params string[] nodes)
    {
        nodes = nodes.Length > 0 ? nodes : Nodes;
        var status = await job.UntilAsync("finished", status => status["completionTime"] is not null, TimeSpan.FromSeconds(withinSeconds));
        Assert.True(status.HasCondition("Failed") && !status.HasCondition("Complete") && status.Failure(reason)?.Number("count") == nodes.Length,
            $"{job.Key} was to fail on every node as {reason}: {status.ToJsonString()}");
        Assert.Equal((nodes.Length, 0, nodes.Length, 0), (status.Number("desired"), status.Number("succeeded"), status.Number("failed"), status.Number("active")));
        await LacksImageAsync(image, nodes);
        await EndedAsync(image, "Failed", reason, nodes);
        return (await EntryStatusAsync(nodes[0], image))!.Text("message");
    }

    private async Task EndedAsync(TestImage image, string phase, string reason, string[] nodes)
    {
        foreach (var node in nodes)
        {
            var (spec, status) = (await EntryAsync(node, image), await EntryStatusAsync(node, image));
            Assert.True(spec is not null && status is not null, $"{node} was to keep the entry of {image.Reference}");
            Assert.Equal((phase, reason, spec.Number("version")), (status.Text("phase"), status.Text("reason"), status.Number("version")));
            Assert.Equal(phase == "Succeeded", status.Number("progress") == 100 && status.Text("imageID").Contains("@sha256:", StringComparison.Ordinal));
            var sums = (await NodeImageAsync(node))!["status"]!;
            Assert.Equal((0, 0), (sums.Number("pulling"), sums.Number("waiting")));
            await UntilAsync($"{node} keeps no lease of ours", async () =>
                (await Local.Node(node).LeasesAsync(Cancellation)).All(lease => !lease.Labels.ContainsKey("kruise-image/reference")));
        }
    }
}
