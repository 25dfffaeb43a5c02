using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// For logs and pipes: a line when the counts of a job change, a line for each node that finished, nothing twice. A crowd of nodes
/// that finish at once is counted, not listed. Of several jobs each line says which is meant.
/// </summary>
public sealed class LinesView(Terminal terminal) : IFollowView, IFollowScreen
{
    private const int MaxNodesAtOnce = 10;
    private readonly HashSet<(string Row, string Node, long Version, string Phase)> _told = [];
    private readonly Dictionary<string, string> _lastCounts = new(StringComparer.Ordinal);

    public Task Run(Func<IFollowScreen, Task> follow) => follow(this);

    public void Show(FollowProgress progress)
    {
        foreach (var row in progress.Rows)
        {
            var start = $"{DurationText.Short(progress.Elapsed),6}  {(progress.IsSingle ? "" : $"{progress.LabelOf(row)}: ")}";
            TellFinished(row, start);
            var counts = Counts(row.Progress);
            if (counts == _lastCounts.GetValueOrDefault(row.Key)) continue;
            _lastCounts[row.Key] = counts;
            terminal.Say($"{start}{counts}");
        }
    }

    public void Hint(string? sentence)
    {
        if (sentence is not null) terminal.Note(sentence);
    }

    public void End(FollowProgress progress, FollowOutcome outcome)
    {
        foreach (var line in FollowReport.Lines(progress, outcome)) terminal.Say(line);
    }

    private void TellFinished(FollowRow row, string start)
    {
        var news = row.Progress.Finished.Where(entry => _told.Add((row.Key, entry.Node, entry.Answer!.Version, entry.Phase))).ToList();
        foreach (var entry in news.Take(MaxNodesAtOnce)) terminal.Say($"{start}{Finished(entry, row.Progress.Now)}");
        if (news.Count > MaxNodesAtOnce) terminal.Say($"{start}and {news.Count - MaxNodesAtOnce} more nodes finished");
    }

    private static string Finished(PullEntry entry, DateTimeOffset now)
    {
        var took = entry.Duration(now) is { } duration ? $" ({DurationText.Short(duration)})" : "";
        return entry.Phase == PullPhase.Succeeded
            ? $"{entry.Node}: succeeded{took}"
            : $"{entry.Node}: failed, {entry.Answer!.Reason ?? PullReason.Unknown}: {entry.Answer.Message}{took}";
    }

    private static string Counts(JobProgress progress)
    {
        if (progress.Phase == JobPhase.Pending) return "waiting for the controller";
        var status = progress.Status;
        var paused = progress.Phase == JobPhase.Paused ? ", paused" : "";
        var counts = $"{status.Succeeded} succeeded, {status.Active} active, {status.Failed} failed, {status.Waiting} waiting";
        return $"{progress.Done} of {status.Desired} nodes done: {counts}{paused}";
    }
}
