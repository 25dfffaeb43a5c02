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
        Samples.Progress(Samples.Job(Samples.Counts(2, 0, 0, 1)), 4, Samples.Node("node-1", Samples.Pulling(47)), Samples.Node("node-2", Samples.Pulling(9, 1, false))),
        Samples.Progress(Samples.Job(Samples.Counts(1, 1, 0, 1)), 6, Samples.Node("node-1", Samples.Succeeded(4)), Samples.Node("node-2", Samples.Pulling(9, 1, false))),
        Samples.Progress(Samples.Job(Samples.Failed(2, Samples.NotFound(1))), 40,
            Samples.Node("node-1", Samples.Succeeded(4)), Samples.Node("node-2", Samples.Succeeded(20)),
            Samples.Node("node-7", Samples.Failure(30, PullReason.NotFound, "docker.io/library/nginx:1.9.1: not found"))),
    ];

    private static JobProgress Crowd() => Samples.Progress(
        Samples.Job(Samples.Counts(30, 58, 3, 29) with { Failures = [Samples.NotFound(3)] }),
        130,
        [.. Enumerable.Range(1, 30).Select(i => Samples.Node($"ip-10-0-{i}-{i * 7 % 31}.eu-central-1.compute.internal", Samples.Pulling(i * 37 % 100, 90 + i, i % 3 > 0)))]);

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
        foreach (var moment in Story) view.Show(FollowProgress.Of(moment));
        view.Show(FollowProgress.Of(Story[^1]));
        view.End(FollowProgress.Of(Story[^1]), FollowOutcome.Failed);
        Golden.Check("lines-story", page.Text);
    }

    [Fact]
    public void Json_lines_for_a_program()
    {
        using var page = new Page();
        var view = new JsonLinesView(page.Terminal);
        foreach (var moment in Story) view.Show(FollowProgress.Of(moment));
        view.Show(FollowProgress.Of(Story[^1] with { Now = Samples.After(99) }));
        view.End(FollowProgress.Of(Story[^1]), FollowOutcome.Failed);
        Golden.Check("json-story", page.Text);
    }

    [Fact]
    public void A_crowd_that_finishes_at_once_is_counted()
    {
        using var page = new Page();
        var done = Samples.Progress(Samples.Job(Samples.Counts(0, 12, 0, 0)), 20, [.. Enumerable.Range(1, 12).Select(i => Samples.Node($"node-{i}", Samples.Succeeded(i)))]);
        new LinesView(page.Terminal).Show(FollowProgress.Of(done));
        Assert.Equal(12, page.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("and 2 more nodes finished", page.Text, StringComparison.Ordinal);
    }

    private static FollowProgress Several()
    {
        FollowRow Row(string image, ImagePullJobStatus? status, FollowOutcome? outcome) => new(
            "list default/release",
            JobProgress.Of(Samples.OfList(image, status), status is { Active: > 0 } ? Samples.Progress(Samples.Job(), 60, Samples.Node("node-1", Samples.Pulling(80, 40))).Pulling : [], Samples.After(60)),
            outcome);
        return new([Samples.List("release")],
        [
            Row("nginx:1.9.1", Samples.Complete(3), FollowOutcome.Succeeded),
            Row("redis:7.2", Samples.Counts(1, 1, 0, 1), null),
            Row("quay.io/team/a-service-with-a-rather-long-name-of-its-own:v2.11.4-alpine", Samples.Counts(0, 0, 0, 3), null),
            Row("busybox:no-such-tag", Samples.Failed(1, Samples.NotFound(2)), FollowOutcome.Failed),
            Row("postgres:17", null, null),
        ], Samples.After(60));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(40)]
    public void A_live_picture_of_several_images(int width) =>
        Golden.Check($"live-several-{width}", Page.Picture(LiveSetFrame.Of(Several(), width, "the API server is away"), width));

    [Fact]
    public void No_line_of_a_picture_of_many_images_is_wider_than_the_screen()
    {
        var many = Several() with { Rows = [.. Enumerable.Repeat(Several().Rows, 5).SelectMany(rows => rows)] };
        foreach (var width in (int[])[30, 40, 80, 120])
            Assert.All(Page.Picture(LiveSetFrame.Of(many, width, new string('x', 300)), width).Split('\n'), line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void Json_lines_of_several_images_end_with_one_for_all()
    {
        using var page = new Page();
        var view = new JsonLinesView(page.Terminal);
        view.Show(Several());
        view.Show(Several());
        view.End(Several(), FollowOutcome.TimedOut);
        Golden.Check("json-several", page.Text);
    }

    [Fact]
    public void Last_words_about_several_images() => Golden.Check("last-words-several", string.Join('\n', FollowReport.Lines(Several(), FollowOutcome.Interrupted)) + "\n");

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
