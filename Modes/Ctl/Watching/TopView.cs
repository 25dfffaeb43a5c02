using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>One kind of failure: on how many entries of how many nodes it is, and what was heard last.</summary>
public sealed record TopFailure(string Reason, int Count, string Node, string Message);

/// <summary>
/// One moment of the whole cluster, for "ctl top": made by <see cref="TopBoard"/>, shown as bars, tables or JSON.
/// </summary>
/// <param name="Nodes">NodeImages.</param>
/// <param name="Wanted">Entries of all of them; the next four are their states.</param>
/// <param name="PullsPerMinute">That succeeded in the last minute.</param>
/// <param name="Pulls">Under way, those at it the longest first.</param>
/// <param name="Failures">The most frequent first.</param>
/// <param name="Jobs">That are not over, the oldest first.</param>
public sealed record TopView(
    DateTimeOffset Now, int Nodes, int Wanted, int Pulling, int Waiting, int Succeeded, int Failed, int PullsPerMinute,
    IReadOnlyList<PullEntry> Pulls, IReadOnlyList<TopFailure> Failures, IReadOnlyList<JobProgress> Jobs)
{
    /// <summary>Of the whole cluster.</summary>
    public PullSum Sum { get; } = PullSum.Of(Pulls, Now);

    public TopJson ToJson() => new()
    {
        Time = Now,
        Nodes = Nodes,
        Wanted = Wanted,
        Pulling = Pulling,
        Waiting = Waiting,
        Succeeded = Succeeded,
        Failed = Failed,
        PullsPerMinute = PullsPerMinute,
        BytesDone = Sum.Told > 0 ? Sum.BytesDone : null,
        BytesTotal = Sum.Told > 0 ? Sum.BytesTotal : null,
        BytesPerSecond = (long?)Sum.BytesPerSecond,
        Pulls = [.. Pulls.Select(pull => PullJson.Of(pull, Now))],
        Failures = [.. Failures.Select(failure => new FailureGroup { Reason = failure.Reason, Count = failure.Count, Message = failure.Message, Nodes = [failure.Node] })],
        Jobs = [.. Jobs.Select(job => JobProgressJson.Of(job) with { Pulling = [] })], // they are all above
    };
}

/// <summary>What "top -o json" prints, one a line. A promise to scripts: fields may be added, none changes its meaning.</summary>
public sealed record TopJson
{
    public DateTimeOffset Time { get; init; }
    public int Nodes { get; init; }
    public int Wanted { get; init; }
    public int Pulling { get; init; }
    public int Waiting { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public int PullsPerMinute { get; init; }
    /// <summary>Of the pulls under way, where their nodes tell bytes; so the next two.</summary>
    public long? BytesDone { get; init; }
    public long? BytesTotal { get; init; }
    public long? BytesPerSecond { get; init; }
    public List<PullJson>? Pulls { get; init; }
    public List<FailureGroup>? Failures { get; init; }
    public List<JobProgressJson>? Jobs { get; init; }
}

/// <summary>A pull under way; without bytes where its node does not tell them.</summary>
/// <param name="PercentPerSecond">Null when it cannot be said yet; so is <paramref name="BytesPerSecond"/>.</param>
/// <param name="SecondsLeft">Null when there is no forecast.</param>
/// <param name="NextAttemptTime">Only between a failed attempt and the next.</param>
public sealed record PullJson(
    string Node, string Image, int Progress, long? BytesDone, long? BytesTotal, DateTimeOffset? StartTime, double? PercentPerSecond, long? BytesPerSecond,
    int? SecondsLeft, DateTimeOffset? NextAttemptTime)
{
    public static PullJson Of(PullEntry pull, DateTimeOffset now) => new(
        pull.Node, pull.Reference, pull.Answer!.Progress, pull.Answer.BytesDone, pull.Answer.BytesTotal, pull.Answer.StartTime,
        pull.Rate?.PercentPerSecond(now) is { } rate ? Math.Round(rate, 2) : null, (long?)pull.Rate?.BytesPerSecond(now),
        (int?)pull.Rate?.Remaining(now)?.TotalSeconds, pull.Answer.NextAttemptTime);
}
