using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class ImageCensusTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private static readonly string OtherDigest = Samples.Digest.Replace("2f68b99b", "91d5c1b0", StringComparison.Ordinal);

    private static readonly NodeImage[] Nodes =
    [
        Samples.Node("node-1", Samples.Succeeded(4)),
        Samples.Node("node-2", Samples.Succeeded(9)),
        Samples.Node("node-3", Samples.Succeeded(2) with { ImageID = OtherDigest }),
        Samples.Node("node-4", Samples.Pulling(47)),
        Samples.Node("node-5", Samples.Failure(3, PullReason.RateLimited, "429")),
        Samples.Node("node-6", null),
        new()
        {
            Metadata = new() { Name = "node-7" },
            Spec = new() { Images = new() { ["redis"] = new() { Tags = [new() { Tag = "7", Version = 3 }] } } },
            Status = new() { ImageStatuses = new() { ["redis"] = new() { Tags = [new() { Tag = "7", Version = 3, Phase = PullPhase.Succeeded, ImageID = "redis@sha256:aa" }] } } },
        },
    ];

    private static async Task<Page> Run(OutputFormat format, bool isScreen = false, int width = 80, params string[] filters)
    {
        var page = new Page(isScreen, width);
        var verb = new GetImagesVerb(new Cluster(new FakeCluster(Nodes), "default"), page.Terminal, format);
        Assert.Equal(ExitCode.Done, await verb.Run([.. filters.Select(ImageFilter.Of)], null, None));
        return page;
    }

    [Theory]
    [InlineData(OutputFormat.Table, false, 80, "get-images")]
    [InlineData(OutputFormat.Table, true, 80, "get-images-screen-80")]
    [InlineData(OutputFormat.Table, true, 200, "get-images-screen-200")]
    [InlineData(OutputFormat.Wide, false, 80, "get-images-wide")]
    [InlineData(OutputFormat.Wide, true, 200, "get-images-wide-screen-200")]
    [InlineData(OutputFormat.Json, false, 80, "get-images-json")]
    [InlineData(OutputFormat.Yaml, false, 80, "get-images-yaml")]
    [InlineData(OutputFormat.Name, false, 80, "get-images-name")]
    public async Task In_every_format(OutputFormat format, bool isScreen, int width, string golden)
    {
        using var page = await Run(format, isScreen, width);
        Golden.Check(golden, page.Text);
    }

    [Theory]
    [InlineData("redis", "redis:7")]
    [InlineData("docker.io/library/redis:7", "redis:7")]
    [InlineData("nginx:1.9.1", "nginx:1.9.1")]
    public async Task Only_those_that_were_named(string filter, string shown)
    {
        using var page = await Run(OutputFormat.Name, filters: filter);
        Assert.Equal(shown, page.Text.Trim());
    }

    [Theory]
    [InlineData("rediss", "no node was asked for image \"rediss\": did you mean \"redis\"?")]
    [InlineData("nginx:1.9.2", "no node was asked for image \"nginx:1.9.2\"")]
    public async Task An_image_that_nobody_asked_for_is_said_to_be_none(string filter, string sentence)
    {
        var wrong = await Assert.ThrowsAsync<CommandException>(() => Run(OutputFormat.Table, filters: filter));
        Assert.Equal((ExitCode.Failed, sentence), (wrong.ExitCode, wrong.Message));
    }

    /// <summary>What was read of a list that broke off must not be counted twice.</summary>
    [Fact]
    public void Counting_from_the_start_again_forgets_the_former_count()
    {
        var census = new ImageCensus(_ => true);
        census.Add(Nodes);
        census.Clear();
        census.Add(Nodes);
        Assert.Equal(6, census.Images.First().Wanted);
    }
}
