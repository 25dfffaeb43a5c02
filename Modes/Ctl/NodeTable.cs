using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Watching;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get nodes": one line a NodeImage, and what it is pulling at the moment.</summary>
public static class NodeTable
{
    /// <summary>More pulls than this on one node are counted, not named.</summary>
    private const int MaxPullsNamed = 3;

    public static TableView Of(IEnumerable<NodeImage> nodes, bool isWide, DateTimeOffset now)
    {
        string[] wide = isWide ? ["LONGEST", "RATE", "LAST DONE", "FAILURES"] : [];
        var table = new TableView(["NAME", "DESIRED", "PULLING", "SUCCEEDED", "FAILED", "WAITING", "AGE", .. wide, "PULLING NOW"])
        {
            DropWhenNarrow = isWide ? ["AGE", "WAITING", "LAST DONE", "RATE", "LONGEST"] : ["AGE", "WAITING"],
        };
        foreach (var node in nodes.OrderBy(node => node.Metadata.Name, StringComparer.Ordinal))
        {
            var status = node.Status ?? new();
            table.Add([
                node.Metadata.Name ?? "", status.Desired, Cell.Count(status.Pulling, Tone.Busy), Cell.Count(status.Succeeded, Tone.Good),
                Cell.Count(status.Failed, Tone.Bad), status.Waiting, DurationText.Age(node.Metadata.CreationTimestamp, now),
                .. isWide ? Wide(node, now) : [], new Cell(PullingNow(node, isWide), Tone.Busy)]);
        }
        return table;
    }

    /// <summary>How long the oldest pull under way takes already, how fast all are since they began, how long ago the last one ended, and what failed of what is wanted now.</summary>
    private static Cell[] Wide(NodeImage node, DateTimeOffset now)
    {
        var entries = PullEntry.Of(node).ToList();
        var longest = entries.Where(entry => entry.Phase == PullPhase.Pulling).Max(entry => entry.Duration(now));
        var failures = entries.Where(entry => entry.Phase == PullPhase.Failed).GroupBy(entry => entry.Answer!.Reason ?? PullReason.Unknown, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => group.Count() == 1 ? group.Key : $"{group.Key} x{group.Count()}");
        return
        [
            longest is { } took ? DurationText.Short(took) : "",
            PullSum.Of(entries.Select(entry => entry.Measured(null, now)), now).Rate,
            DurationText.Age(entries.Max(entry => entry.Answer?.CompletionTime), now),
            new(string.Join(", ", failures), Tone.Bad),
        ];
    }

    private static string PullingNow(NodeImage node, bool isWide)
    {
        var entries = PullEntry.Of(node).Where(entry => entry.Phase == PullPhase.Pulling);
        var pulls = entries.Select(entry => $"{entry.Reference} {entry.Percent}{(isWide && entry.Bytes is { Length: > 0 } bytes ? $" ({bytes})" : "")}").ToList();
        var rest = pulls.Count - MaxPullsNamed;
        return string.Join(", ", pulls.Take(MaxPullsNamed)) + (rest > 0 ? $" and {rest} more" : "");
    }
}
