using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Watching;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// One picture of several jobs that are followed: a bar of nodes for each, those at work first, and the bar of all. Pure: the same
/// progress, width and hint give the same picture.
/// </summary>
public static class LiveSetFrame
{
    private const int MaxFailures = 3;

    public static IRenderable Of(FollowProgress progress, int width, string? hint)
    {
        width = Math.Min(width, LiveFrame.MaxWidth);
        var images = progress.Rows.Count == 1 ? "1 image" : $"{progress.Rows.Count} images";
        var places = progress.Targets.Count == 1 ? JobWords.KeyOf(progress.Targets[0]) : "";
        var lines = new List<IRenderable> { LiveFrame.Title($"{images}  {places}".TrimEnd(), progress.Elapsed, width), Bars(progress, width), Numbers(progress, width) };
        var failed = progress.Rows.Where(row => row.Progress.Status.Failures is { Count: > 0 }).ToList();
        foreach (var row in failed.Take(MaxFailures))
            lines.Add(LiveFrame.Line($"{progress.LabelOf(row)}: {FollowReport.FailureLine(row.Progress.Status.Failures![0] with { Nodes = null })}", Tone.Bad));
        if (failed.Count > MaxFailures) lines.Add(LiveFrame.Line($"and {failed.Count - MaxFailures} more images with failed nodes", Tone.Bad));
        if (hint is not null) lines.Add(LiveFrame.Line(hint, Tone.Faint));
        return new Rows(lines);
    }

    private static Grid Bars(FollowProgress progress, int width)
    {
        // The order stays as it was asked for within each group: rows that jump about cannot be read.
        var shown = progress.Rows.OrderBy(Rank).Take(LiveFrame.MaxRows).ToList();
        var nameWidth = Math.Min(shown.Select(row => progress.LabelOf(row).Length).Append(LiveFrame.MinNameWidth).Max(), Math.Max(LiveFrame.MinNameWidth, width / 2));
        var grid = LiveFrame.BarGrid(width, nameWidth);
        foreach (var row in shown)
        {
            var status = row.Progress.Status;
            grid.AddRow(LiveFrame.Line(LiveFrame.Clip(progress.LabelOf(row), nameWidth), Tone.Plain), BarOf(status.Desired, status.Succeeded, status.Failed, status.Active), LiveFrame.Line(
                row.Progress.Phase switch
                {
                    JobPhase.Pending => "waiting",
                    JobPhase.Paused => "paused",
                    JobPhase.Invalid => "invalid",
                    _ => LiveFrame.RateAnd(row.Progress.Sum.Rate, $"{row.Progress.Done} of {status.Desired} nodes", width),
                }, Tone.Plain));
        }
        if (progress.Rows.Count > shown.Count) grid.AddRow(LiveFrame.Line($"and {progress.Rows.Count - shown.Count} more", Tone.Faint), Text.Empty, Text.Empty);

        int Sum(Func<ImagePullJobStatus, int> count) => progress.Rows.Sum(row => count(row.Progress.Status));
        var total = BarOf(Sum(status => status.Desired), Sum(status => status.Succeeded), Sum(status => status.Failed), Sum(status => status.Active));
        var done = $"{Sum(status => status.Succeeded + status.Failed)} of {Sum(status => status.Desired)} pulls";
        return grid.AddRow(LiveFrame.Line("total", Tone.Plain), total, LiveFrame.Line(LiveFrame.RateAnd(SumOf(progress).Rate, done, width), Tone.Plain));
    }

    private static Bar BarOf(int desired, int succeeded, int failed, int active) => new(desired, (succeeded, Tone.Good), (failed, Tone.Bad), (active, Tone.Busy));

    private static int Rank(FollowRow row) => row.Outcome is null ? row.Progress.Status.Active > 0 ? 0 : 1 : row.Outcome == FollowOutcome.Succeeded ? 3 : 2;

    private static PullSum SumOf(FollowProgress progress) => PullSum.Of(progress.Rows.SelectMany(row => row.Progress.Pulling), progress.Now);

    private static Text Numbers(FollowProgress progress, int width)
    {
        var failed = progress.Done - progress.Succeeded;
        var numbers = $"images: {progress.Succeeded} done  {progress.Rows.Count - progress.Done} under way  {failed} failed";
        return LiveFrame.Line(PullText.IfItFits(numbers, SumOf(progress).Bytes, width), Tone.Plain);
    }
}
