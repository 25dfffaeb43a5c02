using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// What an operator watches the system with: docs/metrics.md against what the processes tell, and dashboard and alerts in a real
/// Prometheus (contract 7.2).
/// </summary>
public sealed partial class MonitoringScenarios(SharedCluster shared) : Scenario(shared)
{
    /// <summary>Panels that are empty while all is well.</summary>
    private static readonly string[] EmptyWhenWell = ["Nodes that failed or cannot work now"];

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("kruise-image-monitoring.");

    private static string Monitoring => Path.Combine(Parts.Manifests, "monitoring");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task The_list_of_metrics_is_what_the_processes_tell()
    {
        await PullAndFailAsync("metric-list");
        var document = await File.ReadAllTextAsync(Path.Combine(Parts.RepositoryRoot, "docs/metrics.md"), Cancellation);
        var rows = Row().Matches(document).Select(row => (Name: row.Groups["name"].Value, Type: row.Groups["type"].Value, Who: row.Groups["who"].Value)).ToList();
        var leader = await Local.LeaderAsync(Cancellation);
        Assert.Equal(Listed("controller"), await ToldAsync(leader));
        foreach (var daemon in Local.Daemons.Values)
            Assert.Equal(Listed("daemon"), await ToldAsync(daemon));

        IEnumerable<string> Listed(string who) => rows.Where(row => row.Who is "" or "both" || row.Who == who).Select(row => $"{row.Name} {row.Type}").Order(StringComparer.Ordinal);
        async Task<IEnumerable<string>> ToldAsync(Component component) =>
            Told().Matches(await component.MetricsAsync(Cancellation)).Select(told => told.Groups[1].Value).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task Every_question_of_the_dashboard_has_an_answer_and_no_alert_fires()
    {
        using var prometheus = new PrometheusServer(directory.FullName, Local.LogDirectory, Local.Controllers.Concat(Local.Daemons.Values));
        await prometheus.StartAsync(Cancellation);
        await UntilAsync("every process is scraped", async () =>
            (await prometheus.QueryAsync("sum(up) and on () sum(kruise_image_build_info)", Cancellation)) is [var sample] && Value(sample!) == Local.Controllers.Count + Local.Daemons.Count);
        await PullAndFailAsync("dashboard");
        await UntilAsync("the pulls are scraped", async () =>
            (await prometheus.QueryAsync("sum(increase(kruise_image_pulls_total{reason=\"NotFound\"}[1m])) > 0", Cancellation)).Count == 1);

        // A rate needs two scrapes of a series, and some begin with the first reconcile.
        var questions = await QuestionsAsync();
        List<string> unanswered = [];
        try
        {
            await UntilAsync("every question has an answer", async () => (unanswered = await UnansweredAsync(prometheus, questions)).Count == 0);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message} No answer to: {string.Join(", ", unanswered)}", late);
        }
        Assert.Equal(1, Value(Assert.Single(await prometheus.QueryAsync("max(kruise_image_leader)", Cancellation))!));
        Assert.Equal(Cluster.NodeNames.Count, Value(Assert.Single(await prometheus.QueryAsync("max(kruise_image_nodes)", Cancellation))!));

        await UntilAsync("every rule was evaluated", async () => (await prometheus.RulesAsync(Cancellation)).All(rule => rule.Text("health") != "unknown"));
        Assert.All(await prometheus.RulesAsync(Cancellation), rule =>
        {
            Assert.Equal("ok", rule.Text("health"));
            Assert.NotEqual("firing", rule.Text("state"));
        });
    }

    [Fact]
    public async Task The_alerts_pass_their_own_tests()
    {
        foreach (var arguments in (string[][])[["check", "rules", Path.Combine(Monitoring, "alerts.yaml")], ["test", "rules", Path.Combine(Monitoring, "alerts-test.yaml")]])
            (await CommandResult.RunAsync(Parts.Find("promtool"), arguments, new Dictionary<string, string>(), null, Cancellation)).Succeeded();
    }

    /// <summary>Each with the title of its panel.</summary>
    private static async Task<List<(string Title, string Expression)>> QuestionsAsync()
    {
        var dashboard = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Monitoring, "grafana-dashboard.json"), Cancellation))!;
        return [.. from panel in dashboard["panels"]!.AsArray()
                   where panel["targets"] is not null
                   from target in panel["targets"]!.AsArray()
                   select (panel.Text("title"), target!.Text("expr").Replace("$__rate_interval", "1m", StringComparison.Ordinal))];
    }

    private static async Task<List<string>> UnansweredAsync(PrometheusServer prometheus, List<(string Title, string Expression)> questions)
    {
        var unanswered = new List<string>();
        foreach (var (title, expression) in questions)
            if ((await prometheus.QueryAsync(expression, Cancellation)).Count == 0 && !EmptyWhenWell.Contains(title)) unanswered.Add(title);
        return unanswered;
    }

    /// <summary>A pull on each node that succeeds, and one that does not.</summary>
    private async Task PullAndFailAsync(string name)
    {
        var image = await PushAsync(name);
        await (await JobAsync(name, $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""")).CompletedAsync(nodes: Cluster.NodeNames.Count);
        await (await JobAsync(name + "-missing", $$$"""{"image":"{{{image.Name}}}:missing","parallelism":10}""")).FinishedAsync();
    }

    private static double Value(JsonNode sample) => double.Parse(sample["value"]![1]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| `(?<name>\w+)` \| (?<type>\w+) \|[^|]*\|(?: (?<who>controller|daemon|both) \|)?[^|]*\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^# TYPE (\w+ \w+)$", RegexOptions.Multiline)]
    private static partial Regex Told();
}
