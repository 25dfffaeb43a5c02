using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get lists": one line a list, its jobs counted as its status has them.</summary>
public static class ListTable
{
    public static TableView Of(IEnumerable<ImageListPullJob> lists, bool withNamespace, DateTimeOffset now)
    {
        string[] place = withNamespace ? ["NAMESPACE"] : [];
        var table = new TableView([.. place, "NAME", "TOTAL", "SUCCEEDED", "COMPLETED", "AGE"]);
        foreach (var list in lists.OrderBy(list => list.Metadata.Namespace, StringComparer.Ordinal).ThenBy(list => list.Metadata.Name, StringComparer.Ordinal))
        {
            var status = list.Status ?? new();
            Cell[] where = withNamespace ? [list.Metadata.Namespace ?? ""] : [];
            table.Add([
                .. where, list.Metadata.Name ?? "", status.Desired, Cell.Count(status.Succeeded, Tone.Good),
                Cell.Count(status.Completed, status.Succeeded < status.Completed ? Tone.Bad : Tone.Good), DurationText.Age(list.Metadata.CreationTimestamp, now),
            ]);
        }

        return table;
    }
}
