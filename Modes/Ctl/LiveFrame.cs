using System.Globalization;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Watching;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// One picture of the live view: a bar for each of the slowest pulls, the bar of the whole job, the numbers. Pure: the same
/// progress, width and hint give the same picture.
/// </summary>
public static class LiveFrame
{
    /// <summary>Nodes with a row of their own; a picture taller than the screen would scroll and flicker.</summary>
    public const int MaxRows = 10;
    private const int MaxFailures = 3;
    internal const int MinNameWidth = 10;

    /// <summary>On a very wide screen the eye loses the line.</summary>
    internal const int MaxWidth = 120;

    public static IRenderable Of(JobProgress progress, int width, string? hint)
    {
        width = Math.Min(width, MaxWidth);
        var lines = new List<IRenderable> { Title($"{progress.Image}  {progress.Key}", progress.Elapsed, width), Bars(progress, width), Numbers(progress, width) };
        // Which nodes failed is told at the end: here the picture must not grow.
        foreach (var failure in (progress.Status.Failures ?? []).Take(MaxFailures))
            lines.Add(Line(FollowReport.FailureLine(failure with { Nodes = null }), Tone.Bad));
        if (progress.Phase == JobPhase.Paused) lines.Add(Line("paused: parallelism is 0", Tone.Faint));
        if (hint is not null) lines.Add(Line(hint, Tone.Faint));
        return new Rows(lines);
    }

    internal static Grid Title(string what, TimeSpan time, int width) => Title(what, DurationText.Short(time), width);

    internal static Grid Title(string what, string elapsed, int width) => new Grid { Width = width }
        .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0), Width = Math.Max(1, width - elapsed.Length - 1) })
        .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(1, 0, 0, 0), Width = elapsed.Length })
        .AddRow(Line(what, Tone.Plain), Line(elapsed, Tone.Faint));

    private static Grid Bars(JobProgress progress, int width)
    {
        var shown = progress.Pulling.Take(MaxRows).ToList();
        var nameWidth = Math.Min(shown.Select(entry => entry.Node.Length).Append(MinNameWidth).Max(), Math.Max(MinNameWidth, width / 3));
        var grid = BarGrid(width, nameWidth);
        foreach (var entry in shown)
        {
            var bar = new Bar(100, (entry.Answer!.Progress, Tone.Busy));
            grid.AddRow(Line(Clip(entry.Node, nameWidth), Tone.Plain), bar, Line(PullText.Numbers(entry, progress.Now, width), Tone.Plain));
        }
        if (progress.Pulling.Count > shown.Count)
            grid.AddRow(Line($"and {progress.Pulling.Count - shown.Count} more", Tone.Faint), Text.Empty, Text.Empty);

        var status = progress.Status;
        var total = new Bar(status.Desired, (status.Succeeded, Tone.Good), (status.Failed, Tone.Bad), (status.Active, Tone.Busy));
        return grid.AddRow(Line("total", Tone.Plain), total, Line(RateAnd(progress.Sum.Rate, $"{progress.Done} of {status.Desired} nodes", width), Tone.Plain));
    }

    /// <summary>A name, a bar that takes what is left, a number.</summary>
    internal static Grid BarGrid(int width, int nameWidth) => new Grid { Width = width }
        .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0), Width = nameWidth })
        .AddColumn(new GridColumn { Padding = new Padding(0, 0, 2, 0) })
        .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0), Alignment = Justify.Right });

    /// <summary>The rate of all before what is done.</summary>
    internal static string RateAnd(string rate, string done, int width) => rate.Length > 0 && width >= PullText.WideEnough ? $"{rate}  {done}" : done;

    private static Text Numbers(JobProgress progress, int width)
    {
        if (progress.Phase == JobPhase.Pending) return Line("waiting for the controller", Tone.Faint);
        var status = progress.Status;
        var numbers = $"{status.Succeeded} succeeded  {status.Active} active  {status.Failed} failed  {status.Waiting} waiting";
        if (progress.NodesPerMinute is { } rate) numbers += string.Create(CultureInfo.InvariantCulture, $"  {rate:0.#} nodes/min");
        if (progress.Remaining is { } remaining) numbers += $"  about {DurationText.Short(remaining)} left";
        return Line(PullText.IfItFits(numbers, progress.Sum.Bytes, width), Tone.Plain);
    }

    /// <summary>Names of one cluster differ at their ends, and are alike at their beginnings.</summary>
    internal static string Clip(string name, int width) => name.Length <= width ? name : $"{name[..(width / 2)]}…{name[^(width - width / 2 - 1)..]}";

    internal static Text Line(string text, Tone tone) => new(Harmless.Line(text), Terminal.StyleOf(tone)) { Overflow = Overflow.Ellipsis };
}
