using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get lists": one line a list, its jobs counted as its status has them.</summary>
public static class ListTable
{
    public static TableView Of(IEnumerable<ImageListPullJob> lists, bool withNamespace, bool isWide, DateTimeOffset now)
    {
        string[] place = withNamespace ? ["NAMESPACE"] : [];
        string[] wide = isWide ? ["ACTIVE", "PARALLELISM", "TOOK", "FAILED IMAGES"] : [];
        var table = new TableView([.. place, "NAME", "TOTAL", "SUCCEEDED", "COMPLETED", "AGE", .. wide]) { DropWhenNarrow = isWide ? ["PARALLELISM", "TOOK"] : [] };
        foreach (var list in lists.OrderBy(list => list.Metadata.Namespace, StringComparer.Ordinal).ThenBy(list => list.Metadata.Name, StringComparer.Ordinal))
        {
            var status = list.Status ?? new();
            Cell[] where = withNamespace ? [list.Metadata.Namespace ?? ""] : [];
            table.Add([
                .. where, list.Metadata.Name ?? "", status.Desired, Cell.Count(status.Succeeded, Tone.Good),
                Cell.Count(status.Completed, status.Succeeded < status.Completed ? Tone.Bad : Tone.Good), DurationText.Age(list.Metadata.CreationTimestamp, now),
                .. isWide ? Wide(list, status, now) : [],
            ]);
        }

        return table;
    }

    private static Cell[] Wide(ImageListPullJob list, ImageListPullJobStatus status, DateTimeOffset now) =>
    [
        Cell.Count(status.Active, Tone.Busy), (list.Spec.Parallelism ?? Defaults.Parallelism).ToString(),
        status.StartTime is { } start ? DurationText.Short((status.CompletionTime ?? now) - start) : "",
        new(string.Join(", ", (status.FailedImageStatuses ?? []).Select(failed => failed.Name)), Tone.Bad),
    ];
}
