using System.Text;
using System.Text.RegularExpressions;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Tests.Tidy;
using Prometheus;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>
/// Labels of metrics (contract 7.2): each has few values, however large the cluster is and whatever people call their things. The values
/// of a running cluster are for SecretLeakScenarios.
/// </summary>
public partial class MetricTests
{
    /// <summary>All there are. A new one is a question first: can its values be counted on two hands?</summary>
    private static readonly string[] Labels = ["commit", "loop", "mode", "outcome", "reason", "result", "version"];

    [Fact]
    public void Every_label_is_one_of_those_we_know()
    {
        var creations = SourceFile.Ours.SelectMany(file => Creation().Matches(file.Text).Select(match => (file.Path, match))).ToList();
        Assert.True(creations.Count >= 11, $"{creations.Count} metrics found");
        Assert.All(creations, creation => Assert.StartsWith("kruise_image_", creation.match.Groups["name"].Value, StringComparison.Ordinal));
        var labels = creations.SelectMany(creation => creation.match.Groups["labels"].Value.Split(',')).Select(label => label.Trim(' ', '"')).Where(label => label.Length > 0);
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
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        var text = Encoding.UTF8.GetString(stream.ToArray());
        Assert.DoesNotContain("secret/", text, StringComparison.Ordinal);
        Assert.Equal(reasons.Length, text.Split('\n').Count(line => line.StartsWith("kruise_image_pulls_total{", StringComparison.Ordinal)));
    }

    private static PullEntry Entry(string image) => Assert.Single(PullEntry.ReadAll(new NodeImageSpec { Images = new() { [image] = new() { Tags = [new() { Tag = "1" }] } } }));

    [GeneratedRegex("""Create(?:Counter|Gauge|Histogram|Summary)\(\s*"(?<name>[^"]+)",\s*"(?:[^"\\]|\\.)*"(?:,\s*\[(?<labels>[^\]]*)\])?""")]
    private static partial Regex Creation();
}
