using System.Text.Json;

namespace KruiseImage.Modes.Ctl;

/// <summary>For programs: one JSON object a line for each change, the last with "outcome" and "exitCode".</summary>
public sealed class JsonLinesView(Terminal terminal) : IFollowView, IFollowScreen
{
    private JobProgressJson? _last;

    public Task Run(Func<IFollowScreen, Task> follow) => follow(this);

    public void Show(JobProgress progress)
    {
        // Time alone is not a change.
        var line = JobProgressJson.Of(progress);
        if (_last is not null && Text(line with { Time = _last.Time }) == Text(_last)) return;
        _last = line;
        terminal.Say(Text(line));
    }

    public void Hint(string? sentence)
    {
        if (sentence is not null) terminal.Note(sentence);
    }

    public void End(JobProgress progress, FollowOutcome outcome) => terminal.Say(Text(JobProgressJson.Of(progress) with
    {
        Outcome = outcome.ToString(),
        ExitCode = FollowReport.ExitCodeOf(outcome),
        Failures = progress.Status.Failures ?? [],
        Digests = progress.Status.Digests ?? [],
    }));

    private static string Text(JobProgressJson line) => JsonSerializer.Serialize(line, CtlJson.Default.JobProgressJson);
}
