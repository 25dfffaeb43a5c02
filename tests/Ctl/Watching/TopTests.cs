using System.Globalization;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Watching;
using Xunit;

namespace KruiseImage.Tests.Ctl.Watching;

public class TopTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Samples.After(60);
    }

    private static IKubeObject[] Busy() =>
    [
        Samples.Job(Samples.Counts(9, 20, 3, 8), "web-rollout"),
        Other(Samples.Complete(3), "over"),
        Other(null, "unseen"),
        Other(Samples.Counts(0, 1, 0, 2) with { Conditions = [new() { Type = JobCondition.Suspended, Status = "True" }] }, "paused"),
        .. Enumerable.Range(1, 30).Select(i => Samples.Node(string.Create(CultureInfo.InvariantCulture, $"ip-10-0-{i}-7.eu-central-1.compute.internal"), Answer(i))),
    ];

    /// <summary>A job that none of the pulls is for.</summary>
    private static ImagePullJob Other(ImagePullJobStatus? status, string name) =>
        Samples.Job(status, name) with { Metadata = Samples.Job(status, name).Metadata with { Uid = name } };

    private static ImageTagStatus? Answer(int i) => (i % 5) switch
    {
        0 => Samples.Failure(20, i % 2 == 0 ? PullReason.NotFound : PullReason.Auth, "docker.io/library/nginx:1.9.1: not found"),
        1 => Samples.Succeeded(i),
        2 or 3 => Samples.Pulling(i * 37 % 100, i, i % 4 > 0),
        _ => null,
    };

    private static TopBoard Board(IEnumerable<IKubeObject> objects)
    {
        var board = new TopBoard();
        foreach (var node in objects.OfType<NodeImage>()) board.OnNode(null, node, Samples.After(60));
        foreach (var job in objects.OfType<ImagePullJob>()) board.OnJob(null, job);
        return board;
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(200, 50)]
    [InlineData(40, 16)]
    public void A_picture_fits_its_screen(int width, int height)
    {
        var picture = Page.Picture(TopFrame.Of(Board(Busy()).View(Samples.After(60)), width, height, null), width);
        Golden.Check($"top-{width}x{height}", picture);
        var lines = picture.TrimEnd('\n').Split('\n');
        Assert.True(lines.Length < height, $"{lines.Length} lines");
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void An_idle_cluster_says_so() => Golden.Check("top-idle", Page.Picture(TopFrame.Of(new TopBoard().View(Samples.After(60)), 80, 24, "the API server does not answer"), 80));

    [Theory]
    [InlineData(false, 80, "top-once")]
    [InlineData(true, 80, "top-once-screen-80")]
    [InlineData(true, 200, "top-once-screen-200")]
    public async Task Once(bool isScreen, int width, string golden)
    {
        using var page = new Page(isScreen, width);
        Assert.Equal(ExitCode.Done, await new TopVerb(new Cluster(new FakeCluster(Busy()), "default"), page.Terminal, OutputFormat.Table, new FixedClock()).Run(isScreen, None));
        Golden.Check(golden, Trimmed(page.Text));
    }

    [Fact]
    public async Task Once_as_json_is_one_line()
    {
        using var page = new Page();
        await new TopVerb(new Cluster(new FakeCluster(Busy()), "default"), page.Terminal, OutputFormat.Json, new FixedClock()).Run(true, None);
        var line = Assert.Single(page.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using var json = JsonDocument.Parse(line);
        Assert.Equal((30, 12, 6), (json.RootElement.GetProperty("nodes").GetInt32(), json.RootElement.GetProperty("pulls").GetArrayLength(), json.RootElement.GetProperty("failed").GetInt32()));
        Assert.True(json.RootElement.GetProperty("pulls")[0].GetProperty("percentPerSecond").GetDouble() > 0);
    }

    /// <summary>After any changes the board says what one says that saw only how it all ended.</summary>
    [Fact]
    public void Counting_changes_comes_to_the_same_as_counting_all()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var nodes = new Dictionary<string, NodeImage>(StringComparer.Ordinal);
            var board = new TopBoard();
            for (var step = 0; step < 60; step++)
            {
                var name = $"node-{random.Next(5)}";
                var before = nodes.GetValueOrDefault(name);
                var after = random.Next(6) == 0 ? null : Samples.Node(name, Answer(random.Next(40)));
                if (before is null && after is null) continue;
                if (after is null) nodes.Remove(name);
                else nodes[name] = after;
                board.OnNode(before, after, Samples.After(60 + step));
            }
            var (changed, afresh) = (board.View(Samples.After(120)), Board(nodes.Values).View(Samples.After(120)));
            Assert.Equal(
                (afresh.Nodes, afresh.Wanted, afresh.Pulling, afresh.Waiting, afresh.Succeeded, afresh.Failed),
                (changed.Nodes, changed.Wanted, changed.Pulling, changed.Waiting, changed.Succeeded, changed.Failed));
            Assert.Equal(afresh.Pulls.Select(pull => (pull.Node, pull.Answer!.Progress)), changed.Pulls.Select(pull => (pull.Node, pull.Answer!.Progress)));
            Assert.Equal(afresh.Failures.Select(failure => (failure.Reason, failure.Count)), changed.Failures.Select(failure => (failure.Reason, failure.Count)));
        }
    }

    [Fact]
    public void Pulls_per_minute_are_those_of_the_last_minute()
    {
        var board = new TopBoard();
        board.OnNode(null, Samples.Node("old", Samples.Succeeded(1)), Samples.After(600)); // long ago
        var pulling = Samples.Node("new", Samples.Pulling(50));
        board.OnNode(null, pulling, Samples.After(600));
        board.OnNode(pulling, Samples.Node("new", Samples.Succeeded(1)), Samples.After(610));
        Assert.Equal(1, board.View(Samples.After(611)).PullsPerMinute);
        Assert.Equal(0, board.View(Samples.After(671)).PullsPerMinute);
    }

    [Fact]
    public void A_job_that_is_over_leaves_the_board()
    {
        var board = new TopBoard();
        var running = Samples.Job(Samples.Counts(1, 0, 0, 0));
        board.OnJob(null, running);
        Assert.Single(board.View(Samples.After(1)).Jobs);
        board.OnJob(running, Samples.Job(Samples.Complete(1)));
        Assert.Empty(board.View(Samples.After(1)).Jobs);
    }

    [Theory]
    [InlineData(OutputFormat.Table, false, 80, "status")]
    [InlineData(OutputFormat.Table, true, 80, "status-screen-80")]
    [InlineData(OutputFormat.Table, true, 200, "status-screen-200")]
    [InlineData(OutputFormat.Json, false, 80, "status-json")]
    [InlineData(OutputFormat.Yaml, false, 80, "status-yaml")]
    public async Task Status_of_a_job(OutputFormat format, bool isScreen, int width, string golden)
    {
        using var page = new Page(isScreen, width);
        IKubeObject[] objects =
        [
            Samples.Job(Samples.Counts(2, 1, 1, 3)), Samples.Node("node-1", Samples.Succeeded(4)), Samples.Node("node-2", Samples.Pulling(62)),
            Samples.Node("node-3", Samples.Pulling(9, 20, false)), Samples.Node("node-4", Samples.Failure(30, PullReason.NotFound, "not found")),
        ];
        var cluster = new Cluster(new FakeCluster(objects), "default");
        var targets = await new JobTargets(cluster).Find(JobTargets.Parse(["nginx-1-9-1-x7k2p"]), None);
        Assert.Equal(ExitCode.Done, await new StatusVerb(cluster, page.Terminal, format, new FixedClock()).Run(targets, None));
        Golden.Check(golden, Trimmed(page.Text));
    }

    private static string Trimmed(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd()));
}
