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
        Pulls = [.. Pulls.Select(pull => PullJson.Of(pull, Now))],
        Failures = [.. Failures.Select(failure => new FailureGroup { Reason = failure.Reason, Count = failure.Count, Message = failure.Message, Nodes = [failure.Node] })],
        Jobs = [.. Jobs.Select(JobProgressJson.Of)],
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
    public List<PullJson>? Pulls { get; init; }
    public List<FailureGroup>? Failures { get; init; }
    public List<JobProgressJson>? Jobs { get; init; }
}

/// <summary>A pull under way.</summary>
/// <param name="PercentPerSecond">Null when it cannot be said yet.</param>
/// <param name="SecondsLeft">Null when there is no forecast.</param>
public sealed record PullJson(string Node, string Image, int Progress, DateTimeOffset? StartTime, double? PercentPerSecond, int? SecondsLeft)
{
    public static PullJson Of(PullEntry pull, DateTimeOffset now) => new(
        pull.Node, pull.Reference, pull.Answer!.Progress, pull.Answer.StartTime,
        pull.Rate?.PercentPerSecond(now) is { } rate ? Math.Round(rate, 2) : null, pull.Rate?.Remaining(now) is { } left ? (int)left.TotalSeconds : null);
}
