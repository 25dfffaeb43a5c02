using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class EventsTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Samples.After(120);
    }

    private const string ListUid = "3c9b1f0e-0000-4a53-9d7e-3f1f6a1c2d10";

    private static Event Said(string kind, string name, string uid, int after, string reason, string message, int count = 1) => new()
    {
        Metadata = new() { Namespace = kind == "NodeImage" ? "default" : "default", Name = $"{name}.{after}" },
        InvolvedObject = new() { Kind = kind, Name = name, Uid = uid },
        Type = reason is PullEvent.Failed or "JobFailed" ? "Warning" : "Normal",
        Reason = reason,
        Message = message,
        Count = count,
        FirstTimestamp = Samples.After(after),
        LastTimestamp = Samples.After(after),
    };

    private static readonly IKubeObject[] Objects =
    [
        Samples.Job() with { Metadata = Samples.Job().Metadata with { OwnerReferences = [new() { Kind = "ImageListPullJob", Name = "web", Uid = ListUid }] } },
        Samples.Job(null, "other") with { Metadata = Samples.Job().Metadata with { Name = "other", Uid = "other-uid" } },
        new ImageListPullJob { Metadata = new() { Namespace = "default", Name = "web", Uid = ListUid } },
        Samples.Node("node-1", Samples.Succeeded(4)),
        Samples.Node("node-2", Samples.Failure(3, PullReason.NotFound, "not found")),
        Said("ImageListPullJob", "web", ListUid, 90, "JobFailed", "1 of 1 images failed"),
        Said("ImagePullJob", "nginx-1-9-1-x7k2p", Samples.Uid, 40, PullEvent.Failed, "nginx:1.9.1 failed on 1 of 2 nodes, NotFound; node-2: not found", 1),
        Said("ImagePullJob", "nginx-1-9-1-x7k2p", Samples.Uid, 10, PullEvent.Succeeded, "nginx:1.9.1 is on 1 of 2 nodes", 3),
        Said("ImagePullJob", "other", "other-uid", 30, "JobCompleted", "job has completed"),
        Said("NodeImage", "node-1", "n1", 9, PullEvent.Succeeded, "nginx:1.9.1: pulled in 3.0 s"),
        Said("NodeImage", "node-2", "n2", 39, PullEvent.Failed, "nginx:1.9.1 failed: NotFound: not found"),
        Said("NodeImage", "node-2", "n2", 35, PullEvent.Succeeded, "redis:7: already present"),
    ];

    private static async Task<Page> Run(OutputFormat format, bool isScreen, int width, params string[] names)
    {
        var page = new Page(isScreen, width);
        Assert.Equal(ExitCode.Done, await new EventsVerb(new Cluster(new FakeCluster(Objects), "default"), page.Terminal, format, new FixedClock()).Run(names, false, None));
        return page;
    }

    [Theory]
    [InlineData("nginx-1-9-1-x7k2p", false, 80, "events-job")]
    [InlineData("list/web", false, 80, "events-list")]
    [InlineData("list/web", true, 80, "events-list-screen-80")]
    [InlineData("list/web", true, 200, "events-list-screen-200")]
    [InlineData("node-2", false, 80, "events-node")]
    public async Task In_the_order_of_time(string name, bool isScreen, int width, string golden)
    {
        using var page = await Run(OutputFormat.Table, isScreen, width, name);
        Golden.Check(golden, page.Text);
    }

    [Theory]
    [InlineData(OutputFormat.Json, "events-json")]
    [InlineData(OutputFormat.Yaml, "events-yaml")]
    public async Task As_the_server_has_them(OutputFormat format, string golden)
    {
        using var page = await Run(format, false, 80, "node/node-1");
        Golden.Check(golden, page.Text);
    }

    [Theory]
    [InlineData("wen", "there is no job, list or node \"wen\" in namespace \"default\": did you mean \"web\"?")]
    [InlineData("job/web", "there is no job \"web\" in namespace \"default\"")]
    [InlineData("node/node-3", "there is no node \"node-3\": did you mean \"node-1\"?")]
    public async Task A_name_that_is_nobodys_is_refused(string name, string sentence)
    {
        var wrong = await Assert.ThrowsAsync<CommandException>(() => Run(OutputFormat.Table, false, 80, name));
        Assert.Equal((ExitCode.Failed, sentence), (wrong.ExitCode, wrong.Message));
    }

    [Fact]
    public void An_event_that_is_followed_is_one_line() => Assert.Equal(
        "2026-11-25T12:00:40Z  Warning  PullImageFailed  job/web (x2): no [2J",
        EventTable.Line(Said("ImagePullJob", "web", "u", 40, PullEvent.Failed, "no [2J\n", 2), TimeZoneInfo.Utc));
}
