using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Watching;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// One moment of a job that is being followed: what the live bars, the lines and the JSON all show. The counts are the
/// controller's (job status), the pulls are the daemons' (NodeImage status). Pure: made from objects and a time.
/// </summary>
public sealed record JobProgress
{
    public required ImagePullJob Job { get; init; }

    public required DateTimeOffset Now { get; init; }

    public JobPhase Phase { get; private init; }

    public ImagePullJobStatus Status { get; private init; } = new();

    /// <summary>Those at it the longest first: they hold the job up, and rows that keep their order can be read.</summary>
    public IReadOnlyList<PullEntry> Pulling { get; private init; } = [];

    /// <summary>Entries that succeeded or failed, by node.</summary>
    public IReadOnlyList<PullEntry> Finished { get; private init; } = [];

    /// <param name="entries">The job's entries on all nodes; empty when NodeImages may not be read.</param>
    public static JobProgress Of(ImagePullJob job, IReadOnlyCollection<PullEntry> entries, DateTimeOffset now) => new()
    {
        Job = job,
        Now = now,
        Phase = JobState.Of(job),
        Status = job.Status ?? new(),
        Sum = PullSum.Of(entries, now),
        Pulling = [.. entries.Where(entry => entry.Phase == PullPhase.Pulling)
            .OrderBy(entry => entry.Answer!.StartTime).ThenBy(entry => entry.Node, StringComparer.Ordinal)],
        Finished = [.. entries.Where(entry => PullPhase.IsFinished(entry.Phase))
            .OrderBy(entry => entry.Answer!.CompletionTime).ThenBy(entry => entry.Node, StringComparer.Ordinal)],
    };

    public string Image => Job.Spec.Image ?? "";

    public string Key => $"{Job.Metadata.Namespace}/{Job.Metadata.Name}";

    public int Done => Status.Succeeded + Status.Failed;

    /// <summary>Never below zero, however the clocks of the two sides differ.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            var elapsed = (Status.CompletionTime ?? Now) - (Status.StartTime ?? Job.Metadata.CreationTimestamp ?? Now);
            return elapsed > TimeSpan.Zero ? elapsed : TimeSpan.Zero;
        }
    }

    /// <summary>Null until the first node is done.</summary>
    public double? NodesPerMinute => Done > 0 && Elapsed > TimeSpan.Zero ? Done / Elapsed.TotalMinutes : null;

    /// <summary>Of the pulls under way.</summary>
    public PullSum Sum { get; private init; } = PullSum.Of([], default);

    /// <summary>By the bytes that come now, where they are told; else at the nodes' rate so far. Null when nothing goes on, or nothing is left.</summary>
    public TimeSpan? Remaining => Phase != JobPhase.Pulling || Status.Desired <= Done ? null
        : Sum.Remaining(Status.Desired - Done) ?? (NodesPerMinute is { } rate ? TimeSpan.FromMinutes((Status.Desired - Done) / rate) : null);

    /// <summary>
    /// Null while there is something to wait for. A job that never completes is followed until each node has had its turn.
    /// </summary>
    public FollowOutcome? Outcome => Phase switch
    {
        JobPhase.Complete => JobState.MatchedNothing(Job) ? FollowOutcome.NothingMatched : FollowOutcome.Succeeded,
        JobPhase.Failed => FollowOutcome.Failed,
        JobPhase.Invalid => FollowOutcome.Invalid,
        JobPhase.Pulling when Defaults.CompletesNever(Job.Spec.CompletionPolicy) && Status.Desired > 0 && Done >= Status.Desired =>
            Status.Failed > 0 ? FollowOutcome.Failed : FollowOutcome.Succeeded,
        _ => null,
    };
}

/// <summary>How following a job ended.</summary>
public enum FollowOutcome
{
    /// <summary>Every node has the image.</summary>
    Succeeded,
    Failed,
    Invalid,
    /// <summary>The selector matches no node.</summary>
    NothingMatched,
    /// <summary>Somebody deleted the job before it ended.</summary>
    Deleted,
    /// <summary>We stopped waiting; the job goes on.</summary>
    TimedOut,
    /// <summary>Ctrl-C; the job goes on.</summary>
    Interrupted,
}
