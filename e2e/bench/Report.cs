using System.Globalization;
using System.Text;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>Where and how was measured.</summary>
public sealed record Circumstances(string Product, string Commit, string Machine, string Server, string Command, string Date, string LoadBefore, string LoadAfter);

/// <summary>The table of rows, as Markdown, and its place in a document between two markers: the rest of the document is people's. Pure.</summary>
public static class Report
{
    public const string Begin = "<!-- bench: begin; written by make bench -->";
    public const string End = "<!-- bench: end -->";

    public static string Table(Circumstances where, IReadOnlyList<Row> rows)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"- executable: {where.Product}, commit {where.Commit}")
            .AppendLine(CultureInfo.InvariantCulture, $"- machine: {where.Machine}")
            .AppendLine(CultureInfo.InvariantCulture, $"- server: {where.Server}")
            .AppendLine(CultureInfo.InvariantCulture, $"- command: `{where.Command}`, {where.Date}; load average {where.LoadBefore} before, {where.LoadAfter} after")
            .AppendLine()
            .AppendLine("| workload | N | wall | floor | ratio | work | CPU | server CPU | peak RSS | allocated | network | requests |")
            .AppendLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var row in rows)
            text.AppendLine($"| {string.Join(" | ", Cells(row))} |");
        text.AppendLine().AppendLine("| workload | N | what was found | goals |").AppendLine("|---|---|---|---|");
        foreach (var row in rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Workload} | {row.Nodes} | {row.Found} | {string.Join("; ", row.Goals.Select(Judged))} |");
        return text.ToString().ReplaceLineEndings("\n");
    }

    /// <summary>The document with the table between the markers; they are put at its end when they are not there.</summary>
    public static string Insert(string document, string table)
    {
        var (begin, end) = (document.IndexOf(Begin, StringComparison.Ordinal), document.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 && end < 0)
            return $"{document.TrimEnd()}\n\n{Begin}\n\n{table.Trim()}\n\n{End}\n".TrimStart('\n');
        if (begin < 0 || end < begin)
            throw new BedException("the document has one of the two markers of the bench, or the second before the first");
        return $"{document[..(begin + Begin.Length)]}\n\n{table.Trim()}\n\n{document[end..]}";
    }

    private static string Judged(Goal goal) => $"{goal.Text}: {goal.Measured} {(goal.IsMet ? "met" : "**missed**")}";

    private static string[] Cells(Row row) =>
    [
        row.Workload,
        row.Nodes is { } nodes ? Text($"{nodes:N0}") : "",
        row.Seconds is { } seconds ? Text($"{seconds:0.00} s") : "-",
        row.Floor is { } floor ? Text($"{floor:0.00} s") : "-",
        row.Ratio is { } ratio ? Text($"{ratio:0.00}x") : "-",
        row.Work is { } work ? Text($"{work:0.00}x") : "-",
        row.Cost is { } cost ? Text($"{cost.CpuSeconds:0.00} s") : "-",
        row.Cost is { } server ? Text($"{server.ServerSeconds:0.00} s") : "-",
        row.Cost is { } memory ? Text($"{memory.PeakMegabytes:0} MB") : "-",
        row.Cost?.AllocatedMegabytes is { } allocated ? Text($"{allocated:0} MB") : "-",
        row.Cost is { } network ? Text($"{network.Megabytes:0.0} MB") : "-",
        row.Cost is { } sent ? string.Join(", ", sent.Requests.OrderByDescending(request => request.Value).ThenBy(request => request.Key.ToString(), StringComparer.Ordinal)
            .Select(request => Text($"{request.Value:N0} {request.Key}"))) : "-",
    ];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
