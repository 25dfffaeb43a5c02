using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Tests.Kube;
using KruiseImage.Tests.Tidy;
using Prometheus;
using Xunit;

namespace KruiseImage.Tests.Monitoring;

/// <summary>
/// docs/metrics.md lists what the sources create, and dashboard and alerts ask only for what is on the list. What running processes expose
/// is for MonitoringScenarios.
/// </summary>
public sealed partial class MetricListTests
{
    private static string Folder => Path.Combine(SourceFile.Root, "manifests/monitoring");

    [Fact]
    public void The_list_has_each_metric_as_the_sources_create_it()
    {
        Assert.True(MetricList.OfSources.Count >= 20, $"{MetricList.OfSources.Count} metrics found");
        Assert.Equal(MetricList.OfSources.OrderBy(row => row.Name, StringComparer.Ordinal), MetricList.OfDocument.OrderBy(row => row.Name, StringComparer.Ordinal));
    }

    /// <summary>By Prometheus' conventions: units are base units, and a counter says that it is one.</summary>
    [Fact]
    public void Names_follow_the_conventions() => Complaints.None(
        from row in MetricList.OfSources
        where (row.Type == "counter") != row.Name.EndsWith("_total", StringComparison.Ordinal)
            || (row.Type == "histogram" && !row.Name.EndsWith("_seconds", StringComparison.Ordinal))
            || Regex.IsMatch(row.Name, "_(milliseconds|ms|minutes|kb|mb|percent)(_|$)")
        select $"{row.Name} is a {row.Type}");

    [Theory]
    [InlineData("grafana-dashboard.json")]
    [InlineData("alerts.yaml")]
    [InlineData("alerts-test.yaml")]
    public void Only_metrics_of_the_list_are_asked_for(string file)
    {
        var known = MetricList.OfDocument.SelectMany(row => row.Series).ToList();
        var asked = Name().Matches(File.ReadAllText(Path.Combine(Folder, file))).Select(match => match.Value).Distinct().ToList();
        Assert.True(asked.Count >= 5, $"{asked.Count} metrics found in {file}");
        Assert.Empty(asked.Except(known));
    }

    [Fact]
    public void Each_alert_has_a_section_to_read_and_a_test()
    {
        var alerts = File.ReadAllText(Path.Combine(Folder, "alerts.yaml"));
        var names = Alert().Matches(alerts).Select(match => match.Groups[1].Value).ToList();
        var sections = Heading().Matches(File.ReadAllText(Path.Combine(SourceFile.Root, "docs/troubleshooting.md"))).Select(match => match.Groups[1].Value).ToList();
        var anchors = sections.Select(section => section.ToLowerInvariant().Replace(' ', '-')).ToList();
        var links = Runbook().Matches(alerts).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(names.Count, links.Count);
        Assert.Empty(links.Except(anchors));
        var tested = File.ReadAllText(Path.Combine(Folder, "alerts-test.yaml"));
        Assert.All(names, name => Assert.Contains($"alertname: {name}\n", tested, StringComparison.Ordinal));
    }

    /// <summary>What the dashboard needs to be imported anywhere: no data source of ours, no id, panels that do not overlap.</summary>
    [Fact]
    public void The_dashboard_can_be_imported()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "grafana-dashboard.json")));
        Assert.Equal(JsonValueKind.Null, dashboard.RootElement.GetProperty("id").ValueKind);
        Assert.Equal("datasource", dashboard.RootElement.GetProperty("templating").GetProperty("list")[0].GetProperty("type").GetString());
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(["Overview", "Pulls", "Failures by reason", "Controller", "Daemons"],
            panels.Where(panel => panel.GetProperty("type").GetString() == "row").Select(panel => panel.GetProperty("title").GetString()));
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels.Where(panel => panel.TryGetProperty("targets", out _)), panel => Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString()));
        var cells = from panel in panels
                    let place = panel.GetProperty("gridPos")
                    from x in Enumerable.Range(place.GetProperty("x").GetInt32(), place.GetProperty("w").GetInt32())
                    from y in Enumerable.Range(place.GetProperty("y").GetInt32(), place.GetProperty("h").GetInt32())
                    select (x, y);
        Assert.All(cells, cell => Assert.InRange(cell.x, 0, 23));
        Assert.Equal(cells.Count(), cells.Distinct().Count());
    }

    [Fact]
    public void What_people_import_is_not_in_the_executable() =>
        Assert.DoesNotContain(typeof(Controller).Assembly.GetManifestResourceNames(), name => name.Contains("monitoring", StringComparison.Ordinal));

    [Fact]
    public async Task The_controller_counts_jobs_by_state_and_nodes_by_place()
    {
        var clock = new FakeClock();
        var registry = Metrics.NewCustomRegistry();
        var start = clock.GetUtcNow();
        ImagePullJob[] jobs =
        [
            Job(new ImagePullJobStatus { StartTime = start.AddMinutes(-10) }, Defaults.Always),
            Job(new ImagePullJobStatus { StartTime = start.AddMinutes(-90) }, Defaults.Never), // goes on for ever, as it should
            Job(new ImagePullJobStatus { StartTime = start.AddHours(-5), CompletionTime = start, Failed = 1 }, Defaults.Always),
            new() { Spec = new() { Image = "x" } },
        ];
        var places = new Dictionary<(Place, string), int> { [(Place.Active, "")] = 3, [(Place.Held, PullReason.NodeNotReady)] = 2 };
        new ControllerMetrics(registry).Publish(() => new ControllerCounts(7, 6, jobs, [new()], places), clock);

        var text = await Read(registry);
        Assert.Contains("kruise_image_nodes 7\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_nodeimages 6\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_jobs{state=\"Pulling\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_jobs{state=\"Failed\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_jobs{state=\"Pending\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_jobs{state=\"Complete\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_unfinished_jobs 3\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_unfinished_lists 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_oldest_pulling_job_seconds 600\n", text, StringComparison.Ordinal);
        Assert.Contains("kruise_image_job_nodes{place=\"held\",reason=\"NodeNotReady\"} 2\n", text, StringComparison.Ordinal);

        places.Remove((Place.Held, PullReason.NodeNotReady));
        Assert.Contains("kruise_image_job_nodes{place=\"held\",reason=\"NodeNotReady\"} 0\n", await Read(registry), StringComparison.Ordinal);
    }

    private static ImagePullJob Job(ImagePullJobStatus status, string completion) =>
        new() { Spec = new() { Image = "x", CompletionPolicy = new() { Type = completion } }, Status = status };

    private static async Task<string> Read(CollectorRegistry registry)
    {
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    [GeneratedRegex(@"\bkruise_image_\w+")]
    private static partial Regex Name();

    [GeneratedRegex(@"^ +- alert: (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Alert();

    [GeneratedRegex(@"runbook_url: docs/troubleshooting\.md#([\w-]+)")]
    private static partial Regex Runbook();

    [GeneratedRegex("^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
