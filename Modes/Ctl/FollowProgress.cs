using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>One job that is followed: asked for by name, or one of a list's.</summary>
/// <param name="Target">The key of what was asked for.</param>
/// <param name="Outcome">Null while there is something to wait for.</param>
public sealed record FollowRow(string Target, JobProgress Progress, FollowOutcome? Outcome)
{
    public string Key => $"{Target} {Progress.Image}";
}

/// <summary>
/// One moment of all that is followed: a row for each job, in the order in which they were asked for; a list has one for each of its
/// images, whether its job is there already or not. Pure: made from what a feed knows, the moment before and a time.
/// </summary>
public sealed record FollowProgress(IReadOnlyList<IKubeObject> Targets, IReadOnlyList<FollowRow> Rows, DateTimeOffset Now)
{
    /// <summary>One job was asked for by its name: then everything is about it, and nothing need say which is meant.</summary>
    public bool IsSingle => Targets is [ImagePullJob];

    public int Done => Rows.Count(row => row.Outcome is not null);

    public int Succeeded => Rows.Count(row => row.Outcome == FollowOutcome.Succeeded);

    /// <summary>Null while anything is unfinished; then the worst.</summary>
    public FollowOutcome? Outcome => Done < Rows.Count ? null : Rows.Select(row => row.Outcome!.Value).Append(FollowOutcome.Succeeded).MaxBy(Badness);

    /// <summary>From the first start to the last end.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            if (IsSingle || Rows.Count == 0) return Rows.Count == 0 ? TimeSpan.Zero : Rows[0].Progress.Elapsed;
            var start = Rows.Min(row => row.Progress.Status.StartTime ?? row.Progress.Job.Metadata.CreationTimestamp ?? Now);
            var end = Rows.Max(row => row.Progress.Status.CompletionTime ?? Now);
            return end > start ? end - start : TimeSpan.Zero;
        }
    }

    /// <summary>Before anything is read: as created or found a moment ago.</summary>
    public static FollowProgress Begin(IReadOnlyList<IKubeObject> targets, DateTimeOffset now) =>
        new(targets, [.. targets.SelectMany(target => Expected(target, now))], now);

    /// <summary>For one job alone.</summary>
    public static FollowProgress Of(JobProgress progress) => new([progress.Job], [new(KeyOf(progress.Job), progress, progress.Outcome)], progress.Now);

    public FollowProgress Next(IFollowFeed feed, DateTimeOffset now) =>
        new(Targets, [.. Targets.SelectMany(target => target is ImageListPullJob list ? RowsOf(list, feed, now) : [RowOf((ImagePullJob)target, feed, now)])], now);

    /// <summary>The image, and its job's name where two rows have the same.</summary>
    public string LabelOf(FollowRow row) =>
        Rows.Count(other => other.Progress.Image == row.Progress.Image) > 1 ? $"{row.Progress.Image} ({row.Target})" : row.Progress.Image;

    private static string KeyOf(IKubeObject target) => $"{(target is ImageListPullJob ? "list " : "")}{JobWords.KeyOf(target)}";

    private FollowRow RowOf(ImagePullJob asked, IFollowFeed feed, DateTimeOffset now)
    {
        var key = KeyOf(asked);
        if (feed.Job(asked.Metadata.Namespace, asked.Metadata.Name!) is not { } job || job.Metadata.Uid != asked.Metadata.Uid) return Gone(key, asked.Spec.Image, feed, now);
        var progress = JobProgress.Of(job, feed.Entries(job.Metadata.Uid!), now);
        return new(key, progress, progress.Outcome);
    }

    private IEnumerable<FollowRow> RowsOf(ImageListPullJob asked, IFollowFeed feed, DateTimeOffset now)
    {
        var key = KeyOf(asked);
        if (feed.List(asked.Metadata.Namespace, asked.Metadata.Name!) is not { } list || list.Metadata.Uid != asked.Metadata.Uid)
            return Rows.Where(row => row.Target == key).Select(row => Gone(key, row.Progress.Image, feed, now));
        var jobs = feed.JobsOf(list).Where(job => job.Metadata.DeletionTimestamp is null).OrderBy(job => job.Metadata.CreationTimestamp)
            .ToLookup(job => job.Spec.Image ?? "", StringComparer.Ordinal);
        return (list.Spec.Images ?? []).Distinct(StringComparer.Ordinal).Select(image =>
        {
            // An edited template has a second job made for the image before the first one goes.
            if (jobs[image].LastOrDefault() is { } job)
            {
                var progress = JobProgress.Of(job, feed.Entries(job.Metadata.Uid!), now);
                return new FollowRow(key, progress, progress.Outcome);
            }
            if (list.Status?.CompletionTime is not null) return Gone(key, image, feed, now);
            var awaited = Awaited(list, image, now);
            return new(key, awaited, awaited.Outcome);
        });
    }

    /// <summary>What is there no more: as it was last, ended if it had, else deleted under our eyes.</summary>
    private FollowRow Gone(string target, string? image, IFollowFeed feed, DateTimeOffset now)
    {
        var last = Rows.First(row => row.Target == target && row.Progress.Image == (image ?? ""));
        return feed.IsSynced ? last with { Outcome = last.Outcome ?? FollowOutcome.Deleted } : last with { Progress = last.Progress with { Now = now } };
    }

    private static IEnumerable<FollowRow> Expected(IKubeObject target, DateTimeOffset now) => target is ImageListPullJob list
        ? (list.Spec.Images ?? []).Distinct(StringComparer.Ordinal).Select(image => new FollowRow(KeyOf(list), Awaited(list, image, now), null))
        : [new(KeyOf(target), JobProgress.Of((ImagePullJob)target, [], now), null)];

    /// <summary>Stands for a job that the controller has not made yet, or will not: then the list says why.</summary>
    private static JobProgress Awaited(ImageListPullJob list, string image, DateTimeOffset now) => JobProgress.Of(
        new ImagePullJob
        {
            Metadata = new() { Namespace = list.Metadata.Namespace, Name = list.Metadata.Name, CreationTimestamp = list.Metadata.CreationTimestamp },
            Spec = new(list.Spec) { Image = image },
            Status = list.Status is { } status && status.ObservedGeneration >= list.Metadata.Generation && JobState.ConditionOf(status.Conditions, JobCondition.Invalid) is not null
                ? new() { Conditions = status.Conditions }
                : null,
        },
        [], now);

    private static int Badness(FollowOutcome outcome) => outcome switch
    {
        FollowOutcome.Succeeded => 0,
        FollowOutcome.NothingMatched => 1,
        FollowOutcome.Deleted => 2,
        FollowOutcome.Failed => 3,
        FollowOutcome.Invalid => 4,
        FollowOutcome.TimedOut => 5,
        _ => 6,
    };
}
