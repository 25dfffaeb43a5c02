using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class FollowGoldenTests
{
    private static readonly JobProgress[] Story =
    [
        Samples.Progress(Samples.Job(), 0),
        Samples.Progress(Samples.Job(Samples.Counts(2, 0, 0, 1)), 1, Samples.Node("node-1", null), Samples.Node("node-2", null)),
        Samples.Progress(Samples.Job(Samples.Counts(2, 0, 0, 1)), 4, Samples.Node("node-1", Samples.Pulling(47)), Samples.Node("node-2", Samples.Pulling(9))),
        Samples.Progress(Samples.Job(Samples.Counts(1, 1, 0, 1)), 6, Samples.Node("node-1", Samples.Succeeded(4)), Samples.Node("node-2", Samples.Pulling(9))),
        Samples.Progress(Samples.Job(Samples.Failed(2, Samples.NotFound(1))), 40,
            Samples.Node("node-1", Samples.Succeeded(4)), Samples.Node("node-2", Samples.Succeeded(20)),
            Samples.Node("node-7", Samples.Failure(30, PullReason.NotFound, "docker.io/library/nginx:1.9.1: not found"))),
    ];

    private static JobProgress Crowd() => Samples.Progress(
        Samples.Job(Samples.Counts(30, 58, 3, 29) with { Failures = [Samples.NotFound(3)] }),
        130,
        [.. Enumerable.Range(1, 30).Select(i => Samples.Node($"ip-10-0-{i}-{i * 7 % 31}.eu-central-1.compute.internal", Samples.Pulling(i * 37 % 100, 90 + i)))]);

    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public void A_live_picture_of_a_crowd(int width) => Golden.Check($"live-crowd-{width}", Page.Picture(LiveFrame.Of(Crowd(), width, null), width));

    [Theory]
    [InlineData(80)]
    [InlineData(40)]
    public void Live_pictures_of_a_small_job(int width) =>
        Golden.Check($"live-story-{width}", string.Join('\n', Story.Select((moment, i) => Page.Picture(LiveFrame.Of(moment, width, i == 0 ? "no controller has answered yet" : null), width))));

    [Fact]
    public void No_line_of_a_picture_is_wider_than_the_screen()
    {
        foreach (var width in (int[])[30, 40, 80, 120])
            Assert.All(Page.Picture(LiveFrame.Of(Crowd(), width, new string('x', 300)), width).Split('\n'), line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void Lines_for_a_log()
    {
        using var page = new Page();
        var view = new LinesView(page.Terminal);
        foreach (var moment in Story) view.Show(moment);
        view.Show(Story[^1]);
        view.End(Story[^1], FollowOutcome.Failed);
        Golden.Check("lines-story", page.Text);
    }

    [Fact]
    public void Json_lines_for_a_program()
    {
        using var page = new Page();
        var view = new JsonLinesView(page.Terminal);
        foreach (var moment in Story) view.Show(moment);
        view.Show(Story[^1] with { Now = Samples.After(99) });
        view.End(Story[^1], FollowOutcome.Failed);
        Golden.Check("json-story", page.Text);
    }

    [Fact]
    public void A_crowd_that_finishes_at_once_is_counted()
    {
        using var page = new Page();
        var done = Samples.Progress(Samples.Job(Samples.Counts(0, 12, 0, 0)), 20, [.. Enumerable.Range(1, 12).Select(i => Samples.Node($"node-{i}", Samples.Succeeded(i)))]);
        new LinesView(page.Terminal).Show(done);
        Assert.Equal(12, page.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("and 2 more nodes finished", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Last_words_for_each_way_to_end()
    {
        var running = Samples.Progress(Samples.Job(Samples.Counts(1, 1, 0, 1)), 75);
        var all = new (JobProgress Progress, FollowOutcome Outcome)[]
        {
            (Samples.Progress(Samples.Job(Samples.Complete(3)), 60), FollowOutcome.Succeeded),
            (Samples.Progress(Samples.Job(Samples.Complete(1)), 60), FollowOutcome.Succeeded),
            (Samples.Progress(Samples.Job(Samples.Failed(1, Samples.NotFound(14), new() { Reason = PullReason.NodeNotReady, Count = 1, Nodes = ["node-99"] })), 60), FollowOutcome.Failed),
            (Samples.Progress(Samples.Job(Samples.Complete(0)), 60), FollowOutcome.NothingMatched),
            (running, FollowOutcome.Deleted),
            (running, FollowOutcome.TimedOut),
            (running, FollowOutcome.Interrupted),
        };
        Golden.Check("last-words", string.Concat(all.Select(end => $"[{end.Outcome}, exit {FollowReport.ExitCodeOf(end.Outcome)}]\n{string.Join('\n', FollowReport.Lines(end.Progress, end.Outcome))}\n\n")));
    }
}
