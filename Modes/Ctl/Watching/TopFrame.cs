using System.Globalization;
using KruiseImage.Crds;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>One picture of "ctl top", as large as the screen allows. Pure: the same moment, size and hint give the same picture.</summary>
public static class TopFrame
{
    /// <summary>Title, numbers, three headings and the blank lines between; the line that the cursor is on.</summary>
    private const int FixedLines = 9;

    private const int MostJobs = 8;
    private const int MostFailures = 4;
    private const int MaxWidth = 160;

    public static IRenderable Of(TopView view, int width, int height, string? hint)
    {
        width = Math.Min(width, MaxWidth);
        var room = Math.Max(3, height - FixedLines);
        var jobs = Math.Min(Math.Min(view.Jobs.Count, MostJobs), Math.Max(1, room / 3));
        var failures = Math.Min(Math.Min(view.Failures.Count, MostFailures), Math.Max(1, room / 4));
        var pulls = Math.Max(1, room - Math.Max(1, jobs) - Math.Max(1, failures) - 2); // each table may say how many more there are
        var lines = new List<IRenderable>
        {
            Title(view, width),
            OneLine(PullText.IfItFits(Numbers(view), view.Sum.Bytes, width), Tone.Plain, width),
            Text.Empty,
            LiveFrame.Line("JOBS", Tone.Faint),
            view.Jobs.Count == 0 ? LiveFrame.Line("none under way", Tone.Faint) : Jobs(view, jobs, width),
            Text.Empty,
            LiveFrame.Line("PULLS, the longest first", Tone.Faint),
            view.Pulls.Count == 0 ? LiveFrame.Line("none under way", Tone.Faint) : Pulls(view, pulls, width),
        };
        if (view.Failures.Count > 0) lines.AddRange([Text.Empty, LiveFrame.Line("FAILING", Tone.Faint), .. view.Failures.Take(failures).Select(failure => Failure(failure, width))]);
        if (hint is not null) lines.Add(OneLine(hint, Tone.Faint, width));
        return new Rows(lines);
    }

    private static Grid Jobs(TopView view, int count, int width)
    {
        var shown = view.Jobs.Take(count).ToList();
        var nameWidth = NameWidth(shown.Select(job => $"{job.Key}  {job.Image}"), width * 2 / 5);
        var grid = LiveFrame.BarGrid(width, nameWidth);
        foreach (var job in shown)
        {
            var status = job.Status;
            var bar = new Bar(status.Desired, (status.Succeeded, Tone.Good), (status.Failed, Tone.Bad), (status.Active, Tone.Busy));
            var left = job.Phase != JobPhase.Pulling ? job.Phase.ToString().ToLowerInvariant() : job.Remaining is { } remaining ? $"{DurationText.Short(remaining)} left" : "";
            var done = $"{job.Done} of {status.Desired}";
            var numbers = width < PullText.WideEnough ? done : $"{done}  {job.Sum.Rate,10}  {left,10}";
            grid.AddRow(Name($"{job.Key}  {job.Image}", nameWidth), bar, LiveFrame.Line(numbers, Tone.Plain));
        }
        return WithRest(grid, view.Jobs.Count - shown.Count);
    }

    private static Grid Pulls(TopView view, int count, int width)
    {
        var shown = view.Pulls.Take(count).ToList();
        var nameWidth = NameWidth(shown.Select(pull => $"{pull.Node}  {pull.Reference}"), width * 2 / 5);
        var grid = LiveFrame.BarGrid(width, nameWidth);
        foreach (var pull in shown)
        {
            var bar = new Bar(100, (pull.Answer!.Progress, Tone.Busy));
            grid.AddRow(Name($"{pull.Node}  {pull.Reference}", nameWidth), bar, LiveFrame.Line(PullText.Numbers(pull, view.Now, width), Tone.Plain));
        }
        return WithRest(grid, view.Pulls.Count - shown.Count);
    }

    private static string Numbers(TopView view)
    {
        var numbers = $"{view.Succeeded} of {view.Wanted} images are where they are wanted  {view.PullsPerMinute} pulls/min";
        return view.Sum.Rate is { Length: > 0 } rate ? $"{numbers}  {rate}" : numbers;
    }

    private static Grid Title(TopView view, int width)
    {
        var time = view.Now.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var numbers = $"{view.Nodes} nodes  {view.Pulling} pulling  {view.Waiting} waiting  {view.Failed} failed";
        return LiveFrame.Title(Cut(numbers, width - time.Length - 1), time, width);
    }

    private static Text Failure(TopFailure failure, int width) => OneLine($"{failure.Reason} x{failure.Count}  {failure.Node}: {failure.Message}", Tone.Bad, width);

    /// <summary>The library breaks a line at its spaces; a picture whose height jumps leaves parts of the former one behind.</summary>
    private static Text OneLine(string text, Tone tone, int width) => new(Cut(Harmless.Line(text), width), Terminal.StyleOf(tone));

    /// <summary>A character beyond ASCII may take two columns.</summary>
    private static string Cut(string text, int width)
    {
        var taken = 0;
        for (var i = 0; i < text.Length; i++)
        {
            taken += text[i] > '~' && text[i] != '…' ? 2 : 1;
            if (taken > width) return text[..Math.Max(0, i - 1)] + "…";
        }
        return text;
    }

    private static Grid WithRest(Grid grid, int rest) => rest > 0 ? grid.AddRow(LiveFrame.Line($"and {rest} more", Tone.Faint), Text.Empty, Text.Empty) : grid;

    private static Text Name(string name, int width) => OneLine(LiveFrame.Clip(Harmless.Line(name), width), Tone.Plain, width);

    private static int NameWidth(IEnumerable<string> names, int most) =>
        Math.Min(names.Select(name => name.Length).Append(LiveFrame.MinNameWidth).Max(), Math.Max(LiveFrame.MinNameWidth, most));
}

/// <summary>The numbers of one pull, in columns that stay where they are while they change.</summary>
public static class PullText
{
    /// <summary>Below this the bar needs the room.</summary>
    public const int WideEnough = 72;

    private const string Unpacking = "unpacking";

    /// <summary>From here on there is room for bytes beside the bar.</summary>
    private const int WideForBytes = 120;

    /// <summary>" 47%   12.3 MB/s     12s   17s left"; on a narrow screen without the rate and the time that is left, on a wide one with bytes.</summary>
    public static string Numbers(PullEntry pull, DateTimeOffset now, int width)
    {
        var took = pull.Duration(now) is { } duration ? DurationText.Short(duration) : "";
        if (width < WideEnough) return $"{pull.Percent,4}  {took,6}";
        var bytes = width < WideForBytes ? "" : $"{pull.Bytes,20}  ";
        return $"{pull.Percent,4}  {bytes}{Rate(pull, now),10}  {took,6}  {Left(pull, now),10}";
    }

    /// <summary>Of bytes where they are told, else of percent; empty before there is one.</summary>
    public static string Rate(PullEntry pull, DateTimeOffset now) =>
        pull.Rate?.BytesPerSecond(now) is { } bytes ? ByteText.Rate(bytes)
        : pull.Rate?.PercentPerSecond(now) is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent:0.0}%/s")
        : "";

    public static string Left(PullEntry pull, DateTimeOffset now) =>
        TimeLeft(pull, now) is { Length: > 0 } left ? left == Unpacking ? left : $"{left} left" : "";

    /// <summary>"17s"; empty when there is no forecast, and "unpacking" when every byte is there.</summary>
    public static string TimeLeft(PullEntry pull, DateTimeOffset now) =>
        pull.Answer is { BytesTotal: { } total } answer && answer.BytesDone >= total ? Unpacking
        : pull.Rate?.Remaining(now) is { } left ? DurationText.Short(left)
        : "";

    /// <summary>A line, and what comes after it where the screen has room.</summary>
    public static string IfItFits(string line, string more, int width) => more.Length > 0 && line.Length + 2 + more.Length <= width ? $"{line}  {more}" : line;
}
