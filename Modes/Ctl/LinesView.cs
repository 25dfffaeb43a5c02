using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// For logs and pipes: a line when the counts change, a line for each node that finished, nothing twice. A crowd of nodes that
/// finish at once is counted, not listed.
/// </summary>
public sealed class LinesView(Terminal terminal) : IFollowView, IFollowScreen
{
    private const int MaxNodesAtOnce = 10;
    private readonly HashSet<(string Node, long Version, string Phase)> _told = [];
    private string? _lastCounts;

    public Task Run(Func<IFollowScreen, Task> follow) => follow(this);

    public void Show(JobProgress progress)
    {
        TellFinished(progress);
        var counts = Counts(progress);
        if (counts == _lastCounts) return;
        _lastCounts = counts;
        terminal.Say($"{At(progress)}{counts}");
    }

    public void Hint(string? sentence)
    {
        if (sentence is not null) terminal.Note(sentence);
    }

    public void End(JobProgress progress, FollowOutcome outcome)
    {
        foreach (var line in FollowReport.Lines(progress, outcome)) terminal.Say(line);
    }

    private void TellFinished(JobProgress progress)
    {
        var news = progress.Finished.Where(entry => _told.Add((entry.Node, entry.Answer!.Version, entry.Phase))).ToList();
        foreach (var entry in news.Take(MaxNodesAtOnce)) terminal.Say($"{At(progress)}{Finished(entry, progress.Now)}");
        if (news.Count > MaxNodesAtOnce) terminal.Say($"{At(progress)}and {news.Count - MaxNodesAtOnce} more nodes finished");
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

    private static string At(JobProgress progress) => $"{DurationText.Short(progress.Elapsed),6}  ";
}
