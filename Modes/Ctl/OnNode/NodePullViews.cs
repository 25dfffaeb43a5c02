using System.Text.Json;
using KruiseImage.Crds;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>Shows pulls by hand: bars on a screen, lines in a file, JSON for programs.</summary>
public interface INodePullView
{
    /// <summary>Runs the pulls and shows what they pass on. The screen is in order again when this returns, however it returns.</summary>
    Task Run(Func<Action<NodePullMoment>, Task> pull);

    /// <summary>The last words.</summary>
    /// <param name="kept">After Ctrl-C: the references of which the runtime keeps what arrived; else null.</param>
    void End(NodePullMoment moment, IReadOnlyCollection<string>? kept, int exitCode);
}

/// <summary>For logs and pipes: every tenth of an image or every ten seconds a line, each retry, each result.</summary>
public sealed class NodePullLines(Terminal terminal) : INodePullView
{
    private static readonly TimeSpan MaxBetweenLines = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, (int Tenth, string? Message, TimeSpan At)> _told = new(StringComparer.Ordinal);
    private readonly HashSet<string> _finished = new(StringComparer.Ordinal);

    public Task Run(Func<Action<NodePullMoment>, Task> pull) => pull(Show);

    public void End(NodePullMoment moment, IReadOnlyCollection<string>? kept, int exitCode)
    {
        if (kept is null) return;
        foreach (var line in NodePullReport.Interrupted(moment, kept)) terminal.Say(line);
    }

    public void Show(NodePullMoment moment)
    {
        foreach (var pull in moment.Pulls)
        {
            if (NodePullReport.IsFinished(pull))
            {
                if (_finished.Add(pull.Name)) terminal.Say($"{At(moment)}{NodePullReport.Finished(pull)}");
                continue;
            }
            if (pull.Status.Phase != PullPhase.Pulling) continue;
            var isKnown = _told.TryGetValue(pull.Name, out var told);
            var tenth = pull.Status.Progress / 10;
            var isNews = !isKnown || tenth != told.Tenth || pull.Status.Message != told.Message || moment.Elapsed - told.At >= MaxBetweenLines;
            if (!isNews) continue;
            _told[pull.Name] = (tenth, pull.Status.Message, moment.Elapsed);
            terminal.Say($"{At(moment)}{pull.Name}: {Words(pull)}");
        }
    }

    private static string Words(NodePull pull)
    {
        var numbers = NodePullReport.Numbers(pull);
        var progress = numbers.Length > 0 ? $"{pull.Status.Progress}%, {numbers}" : "pulling";
        return pull.Status.Message is { } message ? $"{progress}; {message}" : progress;
    }

    private static string At(NodePullMoment moment) => $"{DurationText.Short(moment.Elapsed),6}  ";
}

/// <summary>One JSON object a line for each change, the last with "exitCode".</summary>
public sealed class NodePullJsonLines(Terminal terminal) : INodePullView
{
    private string? _last;

    public Task Run(Func<Action<NodePullMoment>, Task> pull) => pull(Show);

    public void End(NodePullMoment moment, IReadOnlyCollection<string>? kept, int exitCode) =>
        terminal.Say(Text(NodePullsJson.Of(moment) with { IsInterrupted = kept is null ? null : true, Kept = kept is null ? null : [.. kept], ExitCode = exitCode }));

    public void Show(NodePullMoment moment)
    {
        // Time alone is not a change.
        var text = Text(NodePullsJson.Of(moment) with { Time = null });
        if (text == _last) return;
        _last = text;
        terminal.Say(Text(NodePullsJson.Of(moment)));
    }

    private static string Text(NodePullsJson line) => JsonSerializer.Serialize(line, OnNodeJson.Default.NodePullsJson);
}

/// <summary>Bars that move in place on a terminal.</summary>
public sealed class NodePullLive(Terminal terminal) : INodePullView
{
    public Task Run(Func<Action<NodePullMoment>, Task> pull)
    {
        var console = terminal.Open();
        return console.Live(Text.Empty).Overflow(VerticalOverflow.Crop).AutoClear(true).StartAsync(context => pull(moment =>
        {
            Terminal.FollowSize(console);
            context.UpdateTarget(NodePullFrame.Of(moment, console.Profile.Width));
        }));
    }

    public void End(NodePullMoment moment, IReadOnlyCollection<string>? kept, int exitCode)
    {
        var console = terminal.Open();
        foreach (var pull in moment.Pulls.Where(NodePullReport.IsFinished))
            console.Write(new Text($"{Harmless.Line(NodePullReport.Finished(pull))}\n", Terminal.StyleOf(NodePullReport.ToneOf(pull))));
        foreach (var line in NodePullReport.Interrupted(moment, kept ?? [])) console.Write(new Text($"{Harmless.Line(line)}\n"));
    }
}

/// <summary>One picture of pulls by hand: a bar for each that is under way, the results above. Pure.</summary>
public static class NodePullFrame
{
    /// <summary>Pictures taller than the screen would scroll and flicker.</summary>
    private const int MaxRows = 12;
    private const int MaxWidth = 120;

    public static IRenderable Of(NodePullMoment moment, int width)
    {
        width = Math.Min(width, MaxWidth);
        var lines = new List<IRenderable>();
        var (finished, open) = (moment.Pulls.Where(NodePullReport.IsFinished).ToList(), moment.Pulls.Where(pull => !NodePullReport.IsFinished(pull)).ToList());
        var running = open.Where(pull => pull.Status.Phase == PullPhase.Pulling).Take(MaxRows).ToList();
        lines.AddRange(finished.TakeLast(Math.Max(1, MaxRows - running.Count)).Select(pull => Line(NodePullReport.Finished(pull), NodePullReport.ToneOf(pull))));
        if (running.Count > 0) lines.Add(Bars(running, width));
        lines.AddRange(running.Where(pull => pull.Status.Message is not null).Select(pull => Line($"{pull.Name}: {pull.Status.Message}", Tone.Faint)));
        var waiting = open.Count - running.Count;
        lines.Add(Line($"{DurationText.Short(moment.Elapsed)}{(waiting > 0 ? $"  {waiting} waiting" : "")}", Tone.Faint));
        return new Rows(lines);
    }

    private static Grid Bars(List<NodePull> pulls, int width)
    {
        var nameWidth = Math.Min(pulls.Max(pull => pull.Name.Length), Math.Max(10, width / 3));
        var grid = new Grid { Width = width }
            .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0), Width = nameWidth })
            .AddColumn(new GridColumn { Padding = new Padding(0, 0, 2, 0) })
            .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0), Alignment = Justify.Right });
        foreach (var pull in pulls)
        {
            var numbers = NodePullReport.Numbers(pull);
            var bar = new Bar(100, (pull.Status.Progress, Tone.Busy));
            grid.AddRow(Line(pull.Name, Tone.Plain), bar, Line(numbers.Length > 0 ? $"{pull.Status.Progress}%  {numbers}" : "pulling", Tone.Plain));
        }
        return grid;
    }

    private static Text Line(string text, Tone tone) => new(Harmless.Line(text), Terminal.StyleOf(tone)) { Overflow = Overflow.Ellipsis };
}
