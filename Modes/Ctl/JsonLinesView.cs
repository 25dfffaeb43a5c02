using System.Text.Json;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// For programs: one JSON object a line for each change of a job, the last of each with "outcome" and "exitCode". Of several jobs a
/// line without a name comes after all others: it has the outcome and the exit code of all together.
/// </summary>
public sealed class JsonLinesView(Terminal terminal) : IFollowView, IFollowScreen
{
    private readonly Dictionary<string, JobProgressJson> _last = new(StringComparer.Ordinal);

    public Task Run(Func<IFollowScreen, Task> follow) => follow(this);

    public void Show(FollowProgress progress)
    {
        foreach (var row in progress.Rows)
        {
            // Time alone is not a change, nor is what follows from it.
            var line = JobProgressJson.Of(row.Progress);
            if (_last.TryGetValue(row.Key, out var last) &&
                Text(line with { Time = last.Time, BytesPerSecond = last.BytesPerSecond, SecondsLeft = last.SecondsLeft }) == Text(last)) continue;
            _last[row.Key] = line;
            terminal.Say(Text(line));
        }
    }

    public void Hint(string? sentence)
    {
        if (sentence is not null) terminal.Note(sentence);
    }

    public void End(FollowProgress progress, FollowOutcome outcome)
    {
        foreach (var row in progress.Rows)
        {
            var rowOutcome = progress.IsSingle ? outcome : row.Outcome ?? outcome;
            terminal.Say(Text(JobProgressJson.Of(row.Progress) with
            {
                Outcome = rowOutcome.ToString(),
                ExitCode = FollowReport.ExitCodeOf(rowOutcome),
                Failures = row.Progress.Status.Failures ?? [],
                Digests = row.Progress.Status.Digests ?? [],
            }));
        }
        if (progress.IsSingle) return;
        var all = new FollowEndJson(progress.Now, progress.Rows.Count, progress.Succeeded, outcome.ToString(), FollowReport.ExitCodeOf(outcome));
        terminal.Say(JsonSerializer.Serialize(all, CtlJson.Default.FollowEndJson));
    }

    private static string Text(JobProgressJson line) => JsonSerializer.Serialize(line, CtlJson.Default.JobProgressJson);
}
