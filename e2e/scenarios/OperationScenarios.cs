using System.Net;
using System.Text.RegularExpressions;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>What an operator relies on: probes, metrics, events, and roles that are neither too small nor too large (contract 5.9, 7.2, 7.3).</summary>
public sealed partial class OperationScenarios(SharedCluster shared) : Scenario(shared)
{
    /// <summary>20 MiB; it was 26.2 MB once. Whoever needs more says here for what.</summary>
    private const int LargestExecutable = 20 << 20;

    [Fact]
    public async Task Metrics_are_Prometheus_text_with_our_names()
    {
        var image = await PushAsync("metrics");
        await (await JobAsync("metrics", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""")).CompletedAsync(nodes: 3);
        foreach (var component in Local.Controllers.Concat(Local.Daemons.Values))
        {
            var metrics = await component.MetricsAsync(Cancellation);
            Assert.Contains("kruise_image_", metrics, StringComparison.Ordinal);
            Assert.Contains("kruise_image_build_info{", metrics, StringComparison.Ordinal);
            foreach (var line in metrics.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
                Assert.Matches(Sample(), line);
        }
    }

    [Fact]
    public async Task A_pull_leaves_events_on_the_NodeImage_and_on_the_job()
    {
        var image = await PushAsync("events");
        await (await JobAsync("events", $$$"""{"image":"{{{image.Reference}}}","selector":{"names":["{{{Cluster.NodeNames[0]}}}"]}}""")).CompletedAsync(nodes: 1);
        foreach (var kind in (string[])["NodeImage", "ImagePullJob"])
            await UntilAsync($"the event is on the {kind}", async () => (await Api.ListAsync("/api/v1/events", Cancellation)).Any(item =>
                item.Text("reason") == "PullImageSucceed" && item["involvedObject"]!.Text("kind") == kind && item.Text("message").Contains("events", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Each_component_may_do_what_it_needs_and_nothing_was_refused()
    {
        var image = await PushAsync("denied");
        await (await JobAsync("denied", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""")).CompletedAsync(nodes: 3);
        var denied = Local.ControlPlane.DeniedRequests();
        Assert.True(denied.Count == 0, string.Join('\n', denied));
    }

    /// <summary>It is on every node, and idle nearly always.</summary>
    [Fact]
    public Task A_daemon_without_work_is_small_soon() => UntilAsync("each daemon has given its memory back", () =>
        Task.FromResult(Local.Daemons.Values.All(daemon => daemon.Server.ResidentBytes() <= 25_000_000)));

    [Fact]
    public void The_executable_does_not_grow() => Assert.InRange(new FileInfo(Parts.Product).Length, 1, LargestExecutable);

    [Theory]
    [InlineData("daemon", "/api/v1/namespaces/default/secrets")]
    [InlineData("daemon", "/api/v1/secrets")]
    [InlineData("daemon", "/api/v1/pods")]
    [InlineData("controller", "/api/v1/namespaces/kube-system/configmaps")]
    public async Task A_component_may_not_read_what_it_has_no_use_for(string component, string path)
    {
        using var api = component == "daemon" ? Local.ControlPlane.ApiAsDaemon() : Local.ControlPlane.ApiAsController();
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => api.GetAsync(path, Cancellation));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [GeneratedRegex("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? (NaN|[+-]Inf|[-+0-9.eE]+)( \d+)?$""")]
    private static partial Regex Sample();
}
