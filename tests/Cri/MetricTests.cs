using System.Text;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Tests.Monitoring;
using Prometheus;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>
/// Labels of metrics (contract 7.2): each has few values, however large the cluster is and whatever people call their things. The values
/// of a running cluster are for SecretLeakScenarios.
/// </summary>
public class MetricTests
{
    /// <summary>All there are. A new one is a question first: can its values be counted on two hands?</summary>
    private static readonly string[] Labels = ["commit", "loop", "mode", "outcome", "place", "reason", "resource", "result", "state", "verb", "version"];

    [Fact]
    public void Every_label_is_one_of_those_we_know()
    {
        Assert.All(MetricList.OfSources, metric => Assert.StartsWith("kruise_image_", metric.Name, StringComparison.Ordinal));
        var labels = MetricList.OfSources.SelectMany(metric => metric.Labels.Split(',')).Select(label => label.Trim()).Where(label => label.Length > 0);
        Assert.True(MetricList.OfSources.Count >= 20, $"{MetricList.OfSources.Count} metrics found");
        Assert.Equal(Labels, labels.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_reasons_of_pulls_are_counted_by_name_and_not_by_image()
    {
        var registry = Metrics.NewCustomRegistry();
        var metrics = new DaemonMetrics(Metrics.WithCustomRegistry(registry));
        string[] reasons = [.. typeof(PullReason).GetFields().Select(field => (string)field.GetValue(null)!)];
        foreach (var reason in reasons)
        {
            foreach (var image in (string[])["secret/one", "secret/two"])
                metrics.Finished(new Announce(Entry(image), new ImageTagStatus { Tag = "1", Phase = PullPhase.Failed, Reason = reason, Message = image }, TimeSpan.FromSeconds(1), 7, false));
        }
        var text = await Read(registry);
        Assert.DoesNotContain("secret/", text, StringComparison.Ordinal);
        Assert.Equal(reasons.Length + 2, text.Split('\n').Count(line => line.StartsWith("kruise_image_pulls_total{", StringComparison.Ordinal)));
    }

    /// <summary>Prometheus does not count what a series has when it first sees it: one that begins with its first failure hides it.</summary>
    [Fact]
    public async Task What_ends_a_pull_is_counted_from_zero()
    {
        var registry = Metrics.NewCustomRegistry();
        _ = new DaemonMetrics(Metrics.WithCustomRegistry(registry));
        var text = await Read(registry);
        string[] ofJobs = [PullReason.NodeNotFound, PullReason.NodeNotReady, PullReason.DaemonNotResponding, PullReason.NodeImageFull];
        var reasons = typeof(PullReason).GetFields().Select(field => (string)field.GetValue(null)!).Except(ofJobs).Concat([PullPhase.Succeeded, "Present"]);
        Assert.All(reasons, reason => Assert.Contains($"kruise_image_pulls_total{{reason=\"{reason}\"}} 0\n", text, StringComparison.Ordinal));
        Assert.Contains("kruise_image_pull_duration_seconds_count{result=\"failed\"} 0\n", text, StringComparison.Ordinal);
    }

    private static async Task<string> Read(CollectorRegistry registry)
    {
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static PullEntry Entry(string image) => Assert.Single(PullEntry.ReadAll(new NodeImageSpec { Images = new() { [image] = new() { Tags = [new() { Tag = "1" }] } } }));
}
