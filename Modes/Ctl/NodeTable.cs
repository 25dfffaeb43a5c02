using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get nodes": one line a NodeImage, and what it is pulling at the moment.</summary>
public static class NodeTable
{
    /// <summary>More pulls than this on one node are counted, not named.</summary>
    private const int MaxPullsNamed = 3;

    public static TableView Of(IEnumerable<NodeImage> nodes, DateTimeOffset now)
    {
        var table = new TableView("NAME", "DESIRED", "PULLING", "SUCCEEDED", "FAILED", "WAITING", "AGE", "PULLING NOW")
        {
            DropWhenNarrow = ["AGE", "WAITING"],
        };
        foreach (var node in nodes.OrderBy(node => node.Metadata.Name, StringComparer.Ordinal))
        {
            var status = node.Status ?? new();
            table.Add(
                node.Metadata.Name ?? "", status.Desired, Cell.Count(status.Pulling, Tone.Busy), Cell.Count(status.Succeeded, Tone.Good),
                Cell.Count(status.Failed, Tone.Bad), status.Waiting, DurationText.Age(node.Metadata.CreationTimestamp, now),
                new Cell(PullingNow(node), Tone.Busy));
        }
        return table;
    }

    private static string PullingNow(NodeImage node)
    {
        var entries = PullEntry.Of(node).Where(entry => entry.Phase == PullPhase.Pulling);
        var pulls = entries.Select(entry => $"{entry.Reference} {entry.Answer!.Progress}%").ToList();
        var rest = pulls.Count - MaxPullsNamed;
        return string.Join(", ", pulls.Take(MaxPullsNamed)) + (rest > 0 ? $" and {rest} more" : "");
    }
}
