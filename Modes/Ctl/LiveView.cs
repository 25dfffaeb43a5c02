using KruiseImage.Crds;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Bars that move in place on a terminal. The picture is <see cref="LiveFrame"/>, of several jobs <see cref="LiveSetFrame"/>; this only
/// puts it on the screen.
/// </summary>
public sealed class LiveView(Terminal terminal) : IFollowView
{
    private readonly IAnsiConsole _console = terminal.Open();

    /// <summary>The moving picture goes in the end: it leaves empty lines where it was taller once. <see cref="End"/> draws the last one.</summary>
    public Task Run(Func<IFollowScreen, Task> follow) => _console.Live(Text.Empty).Overflow(VerticalOverflow.Crop).AutoClear(true)
        .StartAsync(context => follow(new Screen(context, _console)));

    /// <summary>Of one job its nodes, of several the jobs.</summary>
    public static IRenderable PictureOf(FollowProgress progress, int width, string? hint) =>
        progress.IsSingle ? LiveFrame.Of(progress.Rows[0].Progress, width, hint) : LiveSetFrame.Of(progress, width, hint);

    public void End(FollowProgress progress, FollowOutcome outcome)
    {
        _console.Write(PictureOf(progress, _console.Profile.Width, null));
        var tone = outcome switch
        {
            FollowOutcome.Succeeded => Tone.Good,
            FollowOutcome.TimedOut or FollowOutcome.Interrupted => Tone.Plain,
            _ => Tone.Bad,
        };
        foreach (var (index, line) in FollowReport.Lines(progress, outcome).Index())
            _console.Write(new Text($"{Harmless.Line(line)}\n", Terminal.StyleOf(index == 0 ? tone : Tone.Plain)));
    }

    private sealed class Screen(LiveDisplayContext context, IAnsiConsole console) : IFollowScreen
    {
        private FollowProgress? _last;
        private string? _hint;

        public void Show(FollowProgress progress)
        {
            _last = progress;
            Draw();
        }

        public void Hint(string? sentence)
        {
            _hint = sentence;
            Draw();
        }

        private void Draw()
        {
            Terminal.FollowSize(console);
            var width = console.Profile.Width;
            if (_last is not null) context.UpdateTarget(PictureOf(_last, width, _hint));
            else if (_hint is not null) context.UpdateTarget(new Text(Harmless.Line(_hint), Terminal.StyleOf(Tone.Faint)));
        }
    }
}
