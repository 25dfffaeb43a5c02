using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get jobs": one line a job, the numbers of its status.</summary>
public static class JobTable
{
    private static readonly string[] Counts = ["DESIRED", "ACTIVE", "SUCCEEDED", "FAILED", "WAITING"];

    public static TableView Of(IEnumerable<ImagePullJob> jobs, bool withNamespace, bool isWide, DateTimeOffset now)
    {
        string[] place = withNamespace ? ["NAMESPACE"] : [];
        string[] wide = isWide ? ["PARALLELISM", "TOOK"] : [];
        var table = new TableView([.. place, "NAME", "IMAGE", .. Counts, .. wide, "AGE", "STATUS", "MESSAGE"])
        {
            DropWhenNarrow = ["MESSAGE", "WAITING", "AGE"],
        };
        var sorted = jobs.OrderBy(job => job.Metadata.Namespace, StringComparer.Ordinal).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal);
        foreach (var job in sorted) table.Add(Row(job, withNamespace, isWide, now));
        return table;
    }

    private static Cell[] Row(ImagePullJob job, bool withNamespace, bool isWide, DateTimeOffset now)
    {
        var status = job.Status ?? new();
        Cell[] place = withNamespace ? [job.Metadata.Namespace ?? ""] : [];
        Cell[] wide = isWide ? [(job.Spec.Parallelism ?? Defaults.Parallelism).ToString(), Took(status, now)] : [];
        return
        [
            .. place, job.Metadata.Name ?? "", job.Spec.Image ?? "",
            status.Desired, Cell.Count(status.Active, Tone.Busy), Cell.Count(status.Succeeded, Tone.Good),
            Cell.Count(status.Failed, Tone.Bad), status.Waiting,
            .. wide, DurationText.Age(job.Metadata.CreationTimestamp, now), JobState.Show(job), JobState.MessageOf(job),
        ];
    }

    private static string Took(ImagePullJobStatus status, DateTimeOffset now) =>
        status.StartTime is { } start ? DurationText.Short((status.CompletionTime ?? now) - start) : "";
}
