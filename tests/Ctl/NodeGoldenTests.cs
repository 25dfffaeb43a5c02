using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.OnNode;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>What "ctl node" prints.</summary>
public class NodeGoldenTests
{
    private static readonly RuntimeImage[] Images =
    [
        new("sha256:2b7d6430f78d432f89109b29d88d4c36c868cdbf15dc31d2132ceaa02b993763",
            ["docker.io/library/nginx:1.9.1", "docker.io/library/nginx:stable", "registry.example.com/team/web:v1"],
            ["docker.io/library/nginx@sha256:2f68b99bc0d6d25d0c56876b924ec20418544ff28e1fb89a4c27679a40da811b",
             "registry.example.com/team/web@sha256:7a0b4bc8e1d2d25d0c56876b924ec20418544ff28e1fb89a4c27679a40da811b"], 53_123_456, false),
        new("sha256:e6f1816883972d4be47bd48879a08919b96afcd344132622e4d444987919323c",
            ["registry.k8s.io/pause:3.9"], ["registry.k8s.io/pause@sha256:7031c1b283388d2c2e09b57badb803c05ebed362dc88d84b480cc47f72a21097"], 321_520, true),
        new("sha256:1111116883972d4be47bd48879a08919b96afcd344132622e4d444987919323c",
            [], ["quay.io/org/app@sha256:9999b1b283388d2c2e09b57badb803c05ebed362dc88d84b480cc47f72a21097"], 1_234_567_890, false),
        new("sha256:2222226883972d4be47bd48879a08919b96afcd344132622e4d444987919323c", [], [], 999, false),
    ];

    private static readonly ImageFilesystem[] Places = [new("/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs", 2_345_678_901)];

    private static readonly NodePullMoment[] Story =
    [
        Moment(0, Pull("nginx:1.9.1", PullPhase.Waiting), Pull("registry.example.com/team/some-rather-long-name/web:v1.2.3", PullPhase.Waiting), Pull("gone:1", PullPhase.Waiting)),
        Moment(1, Pull("nginx:1.9.1", PullPhase.Pulling), Pull("registry.example.com/team/some-rather-long-name/web:v1.2.3", PullPhase.Pulling), Pull("gone:1", PullPhase.Waiting)),
        Moment(3, Pull("nginx:1.9.1", PullPhase.Pulling, 23, 12_000_000, 53_123_456, 5_200_000),
            Pull("registry.example.com/team/some-rather-long-name/web:v1.2.3", PullPhase.Pulling, 99, 1_200_000_000, 1_200_000_000, 0), Pull("gone:1", PullPhase.Waiting)),
        Moment(9, Pull("nginx:1.9.1", PullPhase.Pulling, 47, 25_000_000, 53_123_456, 900) with
        {
            Status = new() { Phase = PullPhase.Pulling, Progress = 47, Message = "attempt 2 of 4; before: the registry cannot be reached: connection refused" },
        }, Done("registry.example.com/team/some-rather-long-name/web:v1.2.3", 1_200_000_000, 8), Pull("gone:1", PullPhase.Waiting)),
        Moment(15, Done("nginx:1.9.1", 53_123_456, 14), Done("registry.example.com/team/some-rather-long-name/web:v1.2.3", 1_200_000_000, 8), new NodePull(NodePullTests.Image("gone:1"), new()
        {
            Phase = PullPhase.Failed, Reason = PullReason.NotFound, Message = "the registry does not have it: docker.io/library/gone:1: not found",
        })),
    ];

    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public void Bars(int width) => Golden.Check($"node-pull-live-{width}", string.Join('\n', Story.Select(moment => Page.Picture(NodePullFrame.Of(moment, width), width))));

    [Fact]
    public void No_line_of_a_picture_is_wider_than_the_screen()
    {
        foreach (var width in (int[])[30, 60, 120])
            Assert.All(Story.SelectMany(moment => Page.Picture(NodePullFrame.Of(moment, width), width).Split('\n')), line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void Lines()
    {
        using var page = new Page();
        var view = new NodePullLines(page.Terminal);
        foreach (var moment in Story) view.Show(moment);
        view.Show(Story[^1]);
        view.End(Story[^1], null, ExitCode.Failed);
        Golden.Check("node-pull-lines", page.Text);
    }

    [Fact]
    public void Lines_after_Ctrl_C()
    {
        using var page = new Page();
        var view = new NodePullLines(page.Terminal);
        view.Show(Story[2]);
        view.End(Story[2], ["docker.io/library/nginx:1.9.1"], ExitCode.Interrupted);
        Golden.Check("node-pull-interrupted", page.Text);
    }

    [Fact]
    public void Json_lines()
    {
        using var page = new Page();
        var view = new NodePullJsonLines(page.Terminal);
        foreach (var moment in Story) view.Show(moment);
        view.Show(Story[^1] with { Now = Samples.After(99) });
        view.End(Story[^1], null, ExitCode.Failed);
        view.End(Story[2], ["docker.io/library/nginx:1.9.1"], ExitCode.Interrupted);
        Golden.Check("node-pull-json", page.Text);
    }

    [Theory]
    [InlineData("node-images", OutputFormat.Table, false, 80)]
    [InlineData("node-images-wide", OutputFormat.Wide, false, 80)]
    [InlineData("node-images-screen-80", OutputFormat.Table, true, 80)]
    [InlineData("node-images-screen-200", OutputFormat.Table, true, 200)]
    [InlineData("node-images-json", OutputFormat.Json, false, 80)]
    [InlineData("node-images-yaml", OutputFormat.Yaml, false, 80)]
    [InlineData("node-images-name", OutputFormat.Name, false, 80)]
    public void Images_of_a_node(string golden, OutputFormat format, bool isScreen, int width)
    {
        using var page = new Page(isScreen, width);
        Assert.Equal(ExitCode.Done, new NodeImagesVerb(page.Terminal, format).Run(Images, Places, []));
        Golden.Check(golden, page.Text + page.Notes);
    }

    [Theory]
    [InlineData("nginx", "nginx:1.9.1 nginx:stable")]
    [InlineData("docker.io/library/nginx:stable", "nginx:stable")]
    [InlineData("nginx:stable nginx", "nginx:stable nginx:1.9.1")]
    [InlineData("sha256:7031c1", "registry.k8s.io/pause:3.9")]
    [InlineData("222222688397", "sha256:2222226883972d4be47bd48879a08919b96afcd344132622e4d444987919323c")]
    public void Images_by_name_or_digest(string names, string shown)
    {
        using var page = new Page();
        new NodeImagesVerb(page.Terminal, OutputFormat.Name).Run(Images, [], names.Split(' '));
        Assert.Equal(shown, string.Join(' ', page.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
    }

    [Theory]
    [InlineData("ngnix", "this node does not have \"ngnix\": did you mean \"nginx\"?")]
    [InlineData("nginx:1.9.2", "this node does not have \"nginx:1.9.2\": did you mean \"nginx:1.9.1\"?")]
    [InlineData("elsewhere:7", "this node does not have \"elsewhere:7\"")] // a digest here begins with 7
    [InlineData("elsewhere", "this node does not have \"elsewhere\"")]
    public void An_image_that_is_not_here(string name, string sentence)
    {
        using var page = new Page();
        var wrong = Assert.Throws<CommandException>(() => new NodeImagesVerb(page.Terminal, OutputFormat.Table).Run(Images, [], [name]));
        Assert.Equal((ExitCode.Failed, sentence), (wrong.ExitCode, wrong.Message));
    }

    [Theory]
    [InlineData("node-progress", false, 80)]
    [InlineData("node-progress-screen-80", true, 80)]
    [InlineData("node-progress-screen-200", true, 200)]
    public void Downloads_with_their_images(string golden, bool isScreen, int width)
    {
        using var page = new Page(isScreen, width);
        page.Terminal.Write(DownloadBoard.Table(Downloads().Downloads, Samples.After(12)));
        Golden.Check(golden, page.Text);
    }

    [Fact]
    public void A_download_that_ended_is_forgotten_and_a_manifest_read_once()
    {
        var board = Downloads();
        Assert.False(board.IsNews("sha256:m1"));
        Assert.True(board.IsNews("sha256:m2"));
        board.Observe([], Samples.After(13));
        Assert.Empty(board.Downloads);
        board.Observe([new("layer-sha256:aaaaaaaaaaaaaaaaaaaa", 9, 10, null)], Samples.After(14));
        Assert.Null(Assert.Single(board.Downloads).BytesPerSecond);
    }

    private static DownloadBoard Downloads()
    {
        var board = new DownloadBoard();
        ContentDownload[] first = [new("layer-sha256:aaaaaaaaaaaaaaaaaaaa", 1_000_000, 30_000_000, Samples.After(2)), new("layer-sha256:bbbbbbbbbbbbbbbbbbbb", 0, 0, Samples.After(10)), new("manifest-sha256:cccccccccccccccc", 0, 512, null)];
        Assert.True(board.LacksImages(first));
        board.Learn(new("sha256:m1", ["docker.io/library/nginx", "registry.example.com/team/web"]), [new("sha256:aaaaaaaaaaaaaaaaaaaa", 30_000_000)]);
        board.Learn(new("sha256:m3", ["quay.io/org/app"]), [new("sha256:bbbbbbbbbbbbbbbbbbbb", 7)]);
        board.Observe(first, Samples.After(10));
        board.Observe([first[0] with { Offset = 16_000_000 }, first[1] with { Offset = 12_345 }, first[2]], Samples.After(12));
        return board;
    }

    private static NodePullMoment Moment(int seconds, params NodePull[] pulls) => new(Samples.After(seconds), TimeSpan.FromSeconds(seconds), pulls);

    private static NodePull Pull(string image, string phase, int percent = 0, long? done = null, long? total = null, double? rate = null) =>
        new(NodePullTests.Image(image), new() { Phase = phase, Progress = percent }) { BytesDone = done, BytesTotal = total, BytesPerSecond = rate, IsUnpacking = done == total && total is not null };

    private static NodePull Done(string image, long bytes, int seconds) =>
        new(NodePullTests.Image(image), new() { Phase = PullPhase.Succeeded, Progress = 100, ImageID = Samples.Digest }) { ImageBytes = bytes, Took = TimeSpan.FromSeconds(seconds) };
}
