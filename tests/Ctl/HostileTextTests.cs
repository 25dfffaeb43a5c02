using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Watching;
using KruiseImage.Modes.Ctl.Why;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Tests.Kube;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>
/// Whoever writes a job's image, or plays a registry, or has stolen a daemon's token, writes what ctl and the logs show to an
/// administrator: it must not clear the screen, set its title, forge a line, or turn text about.
/// </summary>
public class HostileTextTests
{
    private const string Evil = "ok\u001b[2J\u001b]0;title\a\r\nnode-9: succeeded\u202e\u009b1m\u2028\u200b\0\ud800";
    private const string Shown = "ok\\u001b[2J\\u001b]0;title\\u0007 node-9: succeeded\\u202e\\u009b1m \\u200b\\u0000\ufffd";

    private static readonly ImagePullJob Job = Samples.Job(Samples.Failed(1, new FailureGroup { Reason = Evil, Count = 1, Message = Evil, Nodes = [Evil] }) with
    {
        Message = Evil,
        Digests = [new() { ImageID = Evil, Count = 1 }],
        Conditions = [new() { Type = JobCondition.Failed, Status = "True", Reason = Evil, Message = Evil, LastTransitionTime = Samples.After(1) }],
    }) with
    {
        Spec = new() { Image = Evil, Selector = new() { Names = [Evil] }, PullSecrets = [Evil] },
    };

    private static readonly NodeImage Node = Samples.Node("node-1", Samples.Failure(3, Evil, Evil));

    private static readonly Event[] Events = [new() { Type = Evil, Reason = Evil, Message = Evil, Count = 1, LastTimestamp = Samples.After(5), Source = new() { Component = Evil, Host = Evil } }];

    public static readonly TheoryData<string, string> Said = new()
    {
        { "describe job", On(false, terminal => terminal.Write(JobDescription.Of(Job, [Node], Events, Samples.After(60)))) },
        { "describe job on a screen", On(true, terminal => terminal.Write(JobDescription.Of(Job, [Node], Events, Samples.After(60)))) },
        { "describe node", On(false, terminal => terminal.Write(NodeDescription.Of(Node, Events, Samples.After(60)))) },
        { "describe node on a screen", On(true, terminal => terminal.Write(NodeDescription.Of(Node, Events, Samples.After(60)))) },
        { "get jobs", On(false, terminal => terminal.Write(JobTable.Of([Job], withNamespace: true, isWide: true, Samples.After(60)))) },
        { "get jobs on a screen", On(true, terminal => terminal.Write(JobTable.Of([Job], withNamespace: true, isWide: true, Samples.After(60)))) },
        { "lines", On(false, terminal => Follow(new LinesView(terminal))) },
        { "the last words on a screen", On(true, terminal => new LiveView(terminal).End(FollowProgress.Of(Samples.Progress(Job, 60, Node)), FollowOutcome.Failed)) },
        { "a picture", Page.Picture(LiveFrame.Of(Samples.Progress(Job, 60, Node), 80, Evil), 80) },
        { "a picture of several", Page.Picture(LiveSetFrame.Of(new FollowProgress([Job, Job], FollowProgress.Of(Samples.Progress(Job, 60, Node)).Rows, Samples.After(60)), 80, Evil), 80) },
        { "top", Page.Picture(TopFrame.Of(Top(), 200, 40, Evil), 200) },
        { "top in a file", On(false, terminal => terminal.Write(TopTables.Of(Top()))) },
        { "top on a screen", On(true, terminal => terminal.Write(TopTables.Of(Top()))) },
        { "get images", On(false, terminal => terminal.Write(ImageTable.Of(Images(), isWide: true))) },
        { "events", On(false, terminal => terminal.Write(EventTable.OfAll(Events, Samples.After(60)))) },
        { "an event", On(false, terminal => terminal.Say(EventTable.Line(Events[0], TimeZoneInfo.Utc))) },
        { "describe list", On(false, terminal => terminal.Write(ListDescription.Of(List, [], Events, Samples.After(60)))) },
        { "why", On(false, terminal => terminal.Write(Why())) },
        { "a note", On(false, terminal => new Terminal(terminal.Output, terminal.Output, false, false, 80).Note(Evil)) },
        { "a log", Log() },
    };

    private static ImageListPullJob List => new() { Metadata = new() { Name = "web" }, Spec = new() { Images = [Evil] } };

    private static TopView Top()
    {
        var board = new TopBoard();
        board.OnNode(null, Node, Samples.After(60));
        board.OnJob(null, Job with { Status = null });
        return board.View(Samples.After(60));
    }

    private static IEnumerable<ImageCount> Images()
    {
        var census = new ImageCensus(_ => true);
        census.Add([Samples.Node("node-1", Samples.Succeeded(3) with { ImageID = $"x@{Evil}" })]);
        return census.Images;
    }

    private static Description Why()
    {
        var account = new JobAccount(Job, Evil, 1, 1, 1, [new("node-1", Place.Failed, Evil, Evil)]);
        return WhyReport.Of(account, [], WhyFacts.None with { ControllerTrouble = Evil }, Samples.After(60)).ToDescription(areNamed: false);
    }

    [Theory]
    [MemberData(nameof(Said))]
    public void Nothing_in_it_steers_a_terminal(string place, string text)
    {
        Assert.Contains("\\u001b[2J", text.Replace("\n", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal); // it is there, to be seen
        foreach (var rune in text.EnumerateRunes())
            Assert.False(rune.Value != '\n' && Harmless.IsActive(rune), $"{place} has the character {rune.Value:x4}");
        Assert.DoesNotContain(text.Split('\n'), line => line.StartsWith("node-9", StringComparison.Ordinal));
    }

    /// <summary>JSON says the same in its own way: what a program reads is not changed.</summary>
    [Fact]
    public void Json_loses_nothing_and_steers_no_terminal()
    {
        const string Whole = "ok\u001b[2J\r\nnode-9\u202e\u009b1m\u2028\u200b\0\U000e0001";
        var raw = JsonSerializer.Deserialize($$"""{"metadata":{"name":"a","annotations":{"x":"{{JsonEncodedText.Encode(Whole)}}"} } }""", CtlJson.Default.RawObject)!;
        var printed = On(false, terminal => terminal.Print(RawObject.PrintList([raw], "ImagePullJob", OutputFormat.Json)));
        Assert.DoesNotContain(printed.EnumerateRunes(), rune => rune.Value is not '\n' && Harmless.IsActive(rune));
        using var again = JsonDocument.Parse(printed);
        Assert.Equal(Whole, again.RootElement.GetProperty("items")[0].GetProperty("metadata").GetProperty("annotations").GetProperty("x").GetString());

        var line = On(false, terminal => Follow(new JsonLinesView(terminal))).Split('\n')[0];
        Assert.DoesNotContain(line.EnumerateRunes(), Harmless.IsActive);
        using var told = JsonDocument.Parse(line);
        Assert.StartsWith("ok\u001b[2J\u001b]0;title\a\r\nnode-9", told.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Harmless_text_is_left_alone_and_the_rest_is_shown_by_its_numbers()
    {
        Assert.Equal(Shown, Harmless.Line(Evil));
        Assert.Equal("\\ud834\\udd73", Harmless.Line("\U0001d173"));
        foreach (var plain in (string[])["", "plain", "naïve 🦭 日本", "a \"b\" \\n"]) Assert.Same(plain, plain.All(char.IsAscii) ? Harmless.Line(plain) : plain);
        Assert.Equal("naïve 🦭 日本", Harmless.Line("naïve 🦭 日本"));
        Assert.Equal("a\nb\tc\\u000d", Harmless.Lines("a\nb\tc\r"));
        Assert.Equal(Harmless.Line(Evil), Harmless.Line(Harmless.Line(Evil)));
    }

    private static string On(bool isScreen, Action<Terminal> write)
    {
        using var page = new Page(isScreen);
        write(page.Terminal);
        return page.Text.ReplaceLineEndings("\n");
    }

    private static void Follow<T>(T view)
        where T : IFollowView, IFollowScreen
    {
        var moment = FollowProgress.Of(Samples.Progress(Job, 60, Node));
        view.Show(moment);
        view.End(moment, FollowOutcome.Failed);
    }

    private static string Log()
    {
        using var written = new StringWriter();
        using var lines = new LogLines(written, new FakeClock());
        lines.CreateLogger("Category").Log(LogLevel.Warning, default, Evil, new InvalidDataException(Evil), (state, _) => state);
        Assert.Single(written.ToString().TrimEnd('\n').Split('\n'));
        return written.ToString();
    }
}
