using System.Text.RegularExpressions;
using KruiseImage.Tests.Tidy;

namespace KruiseImage.Tests.Monitoring;

/// <summary>A metric: what the sources create, or a row of docs/metrics.md.</summary>
internal sealed record MetricRow(string Name, string Type, string Labels, string Meaning)
{
    /// <summary>The names of its series, as queries have them.</summary>
    public IEnumerable<string> Series => Type == "histogram" ? [$"{Name}_bucket", $"{Name}_sum", $"{Name}_count"] : [Name];
}

/// <summary>All metrics of our own, as the sources create them and as docs/metrics.md lists them.</summary>
internal static partial class MetricList
{
    public static IReadOnlyList<MetricRow> OfSources { get; } =
    [
        .. from file in SourceFile.Ours
           from Match match in Creation().Matches(file.Text)
           select new MetricRow(
               match.Groups["name"].Value, match.Groups["type"].Value.ToLowerInvariant(), match.Groups["labels"].Value.Replace("\"", "", StringComparison.Ordinal),
               match.Groups["help"].Value),
    ];

    public static string Document { get; } = File.ReadAllText(Path.Combine(SourceFile.Root, "docs/metrics.md"));

    public static IReadOnlyList<MetricRow> OfDocument { get; } =
    [
        .. Row().Matches(Document).Select(match => new MetricRow(
            match.Groups["name"].Value, match.Groups["type"].Value, match.Groups["labels"].Value.Trim(), match.Groups["meaning"].Value.Trim())),
    ];

    [GeneratedRegex("""Create(?<type>Counter|Gauge|Histogram|Summary)\(\s*"(?<name>[^"]+)",\s*"(?<help>(?:[^"\\]|\\.)*)"(?:,\s*\[(?<labels>[^\]]*)\])?""")]
    private static partial Regex Creation();

    [GeneratedRegex(@"^\| `(?<name>kruise_image_\w+)` \| (?<type>\w+) \|(?<labels>[^|]*)\| (?:controller|daemon|both) \|(?<meaning>[^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
