using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Which nodes a job is about (contract 3.1, 3.6).</summary>
public sealed class JobSelectionScenarios(SharedCluster shared) : Scenario(shared)
{
    private string[] Nodes => [.. Cluster.NodeNames];

    [Fact]
    public async Task The_manuals_job_by_names()
    {
        var job = await ApplyManualJobAsync($"names: [{string.Join(", ", Nodes)}]");
        await job.CompletedAsync(nodes: 3);
        await HasImageAsync(TestImage.Nginx, Nodes);
        var digests = (await job.GetAsync())!["status"]!["digests"]!.AsArray();
        Assert.Equal(3, Assert.Single(digests)!.Number("count"));
    }

    [Fact]
    public async Task The_manuals_job_by_labels()
    {
        foreach (var node in Nodes[..2])
            await LabelAsync(node, "node-type", "\"yyy\"");
        var job = await ApplyManualJobAsync("matchLabels: {node-type: yyy}");
        await job.CompletedAsync(nodes: 2);
        foreach (var node in Nodes[..2])
            await LabelAsync(node, "node-type", "\"xxx\"");
    }

    [Fact]
    public async Task Without_a_selector_all_nodes_pull()
    {
        var image = await PushAsync("everywhere");
        var job = await JobAsync("everywhere", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await job.CompletedAsync(nodes: 3);
        await HasImageAsync(image, Nodes);
    }

    [Theory]
    [InlineData("""{"matchLabels":{"app":"selected"}}""")]
    [InlineData("""{"app":"selected"}""")] // as the manual writes it
    public async Task A_podSelector_means_the_nodes_of_those_pods(string podSelector)
    {
        var name = $"pod-selector-{(podSelector.Contains("matchLabels", StringComparison.Ordinal) ? "api" : "manual")}";
        var image = await PushAsync(name);
        await CreatePodAsync("selected", Nodes[1], "selected");
        await CreatePodAsync("other", Nodes[2], "other");
        try
        {
            var job = await JobAsync(name, $$$"""{"image":"{{{image.Reference}}}","podSelector":{{{podSelector}}}}""");
            await job.CompletedAsync(nodes: 1);
            await HasImageAsync(image, Nodes[1]);
            await LacksImageAsync(image, Nodes[0], Nodes[2]);
        }
        finally
        {
            await Api.DeleteAsync(Paths.Pods("default") + "/selected?gracePeriodSeconds=0", Cancellation);
            await Api.DeleteAsync(Paths.Pods("default") + "/other?gracePeriodSeconds=0", Cancellation);
        }
    }

    [Fact]
    public async Task A_name_without_a_Node_fails_as_NodeNotFound_and_holds_nobody_up()
    {
        var image = await PushAsync("unknown-node");
        var job = await JobAsync("unknown-node", $$$"""{"image":"{{{image.Reference}}}","selector":{"names":["{{{Nodes[0]}}}","no-such-node"]}}""");
        var status = await job.FinishedAsync();
        Assert.Equal((2, 1, 1), (status.Number("desired"), status.Number("succeeded"), status.Number("failed")));
        Assert.Equal(["no-such-node"], status.Failure("NodeNotFound")!.Strings("nodes"));
        Assert.Equal(["no-such-node"], status.Strings("failedNodes"));
        Assert.True(status.HasCondition("Failed"));
    }

    [Fact]
    public async Task A_selector_that_matches_no_node_completes_and_says_so()
    {
        var image = await PushAsync("nobody");
        var job = await JobAsync("nobody", $$$$"""{"image":"{{{{image.Reference}}}}","selector":{"matchLabels":{"no":"such-label"}}}""");
        var status = await job.FinishedAsync();
        Assert.Equal("NoNodesMatched", status.Condition("Complete")?.Text("reason"));
        await UntilAsync("a Warning event says it", async () => (await Api.ListAsync(Paths.Events("default"), Cancellation)).Any(item =>
            item["reason"]?.GetValue<string>() == "NoNodesMatched" && item["involvedObject"]!["name"]!.GetValue<string>() == "nobody"));
    }

    [Fact]
    public async Task A_node_that_starts_to_match_joins_and_one_that_stops_leaves()
    {
        var image = await PushSlowAsync("joining", kilobytes: 3000, kilobytesPerSecond: 60);
        await LabelAsync(Nodes[0], "pool", "\"hot\"");
        var job = await JobAsync("joining", $$$$"""{"image":"{{{{image.Reference}}}}","parallelism":10,"selector":{"matchLabels":{"pool":"hot"}}}""");
        await job.UntilAsync("one node pulls", status => status.Number("active") == 1 && status.Number("desired") == 1);

        await LabelAsync(Nodes[1], "pool", "\"hot\"");
        await job.UntilAsync("the second joins", status => status.Number("active") == 2 && status.Number("desired") == 2);
        await LabelAsync(Nodes[0], "pool", "null");
        await job.UntilAsync("the first leaves", status => status.Number("desired") == 1);
        await UntilAsync("its entry is removed", async () => await EntryAsync(Nodes[0], image) is null);

        Local.Proxy!.Heal(image.Repository);
        await job.CompletedAsync(nodes: 1);
        await LabelAsync(Nodes[1], "pool", "null");
    }

    private async Task<Job> ApplyManualJobAsync(string selector)
    {
        await Cluster.KubectlAsync(["apply", "--filename", "-"], Cancellation, Manual.Job(selector));
        return await AdoptAsync("default", Manual.JobName);
    }

    private Task LabelAsync(string node, string key, string jsonValue) =>
        Api.MergePatchAsync(Paths.Node(node), JsonNode.Parse($$$$"""{"metadata":{"labels":{"{{{{key}}}}":{{{{jsonValue}}}}}}}""")!, Cancellation);

    private Task CreatePodAsync(string name, string node, string app) => Api.CreateAsync(Paths.Pods("default"), JsonNode.Parse($$$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"app":"{{{app}}}"}},
         "spec":{"nodeName":"{{{node}}}","automountServiceAccountToken":false,"containers":[{"name":"main","image":"none"}]}}
        """)!, Cancellation);
}
