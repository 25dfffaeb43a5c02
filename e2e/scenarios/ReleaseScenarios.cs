using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using KruiseImage.Bed.Releases;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// The image of a release, made of the executable at hand by what <c>make release</c> makes it with: the system pulls its own image from
/// a registry, and each containerd takes the tar for a cluster without one.
/// </summary>
public sealed class ReleaseScenarios(SharedCluster shared) : Scenario(shared)
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("kruise-image-release.");

    /// <summary>The other architecture only has to be told apart: whoever pulled it would have these bytes and not the executable.</summary>
    private static ReleaseImage Image { get; } = new(
        new ReleaseStamp("1.2.3", "0123456789abcdef0123456789abcdef01234567", DateTimeOffset.UnixEpoch.AddDays(20000), new Uri("https://example.com/source")),
        [new("arm64", [1, 2, 3]), new("amd64", File.ReadAllBytes(Parts.Product))]);

    private string Layout => Path.Combine(directory.FullName, "image");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task The_system_pulls_its_own_image()
    {
        Image.WriteLayout(Layout);
        var pushed = await Cluster.Registry.PushLayoutAsync("e2e/kruise-image", "1.2.3", Layout, Cancellation);
        var image = new TestImage("e2e/kruise-image", "1.2.3");
        var job = await JobAsync("own-image", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        var status = await job.CompletedAsync(nodes: 3);

        Assert.Equal(Image.Digest, pushed);
        Assert.Equal($"docker.io/{image.Name}@{pushed}", Assert.Single(status["digests"]!.AsArray())!.Text("imageID"));
        foreach (var node in Local.Nodes)
        {
            var found = await node.ImageAsync(image.Reference, Cancellation);
            Assert.Equal($"docker.io/{image.Name}@{pushed}", Assert.Single(found!.RepoDigests));
            Assert.Equal(ConfigurationOf("amd64").Digest, found.Id); // this machine's, of the two
        }
    }

    [Fact]
    public void The_image_is_the_executable_and_what_starts_it()
    {
        Image.WriteLayout(Layout);
        var (_, configuration) = ConfigurationOf("amd64");
        Assert.Equal("65532:65532", configuration["config"]!.Text("User"));
        Assert.Equal("/kruise-image", Assert.Single(configuration["config"]!["Entrypoint"]!.AsArray())!.GetValue<string>());
        Assert.Equal("1.2.3", configuration["config"]!["Labels"]!.Text("org.opencontainers.image.version"));
        Assert.Equal("https://example.com/source", configuration["config"]!["Labels"]!.Text("org.opencontainers.image.source"));

        using var layer = new TarReader(new GZipStream(new MemoryStream(Blob(Manifest("amd64")["layers"]!.AsArray().Single()!)), CompressionMode.Decompress));
        var entry = layer.GetNextEntry(copyData: true)!;
        Assert.Equal(("kruise-image", 0, 0), (entry.Name, entry.Uid, entry.Gid));
        Assert.True(entry.Mode.HasFlag(UnixFileMode.OtherExecute) && !entry.Mode.HasFlag(UnixFileMode.OtherWrite));
        using var content = new MemoryStream();
        entry.DataStream!.CopyTo(content);
        Assert.True(content.ToArray().AsSpan().SequenceEqual(File.ReadAllBytes(Parts.Product)));
        Assert.Null(layer.GetNextEntry());
    }

    [Fact]
    public async Task Each_containerd_takes_the_tar_under_the_name_that_a_pod_asks_for()
    {
        var archive = Path.Combine(directory.FullName, "image.tar");
        Image.WriteArchive(archive);
        foreach (var node in Local.Nodes)
        {
            AtTheEnd(() => node.RemoveAsync("kruise-image:1.2.3", Cancellation));
            (await node.CtrAsync(["images", "import", archive], Cancellation)).Succeeded();
            await UntilAsync($"{node.Name} has the image", async () => await node.ImageAsync("kruise-image:1.2.3", Cancellation) is { } found && found.Id == ConfigurationOf("amd64").Digest);
        }
    }

    private byte[] Blob(JsonNode descriptor)
    {
        if (!Directory.Exists(Layout))
            Image.WriteLayout(Layout);
        return File.ReadAllBytes(Path.Combine(Layout, "blobs", descriptor.Text("digest").Replace(':', '/')));
    }

    private JsonNode Manifest(string architecture) =>
        JsonNode.Parse(Blob(JsonNode.Parse(Image.Index)!["manifests"]!.AsArray().Single(manifest => manifest!["platform"]!.Text("architecture") == architecture)!))!;

    private (string Digest, JsonNode Content) ConfigurationOf(string architecture)
    {
        var descriptor = Manifest(architecture)["config"]!;
        return (descriptor.Text("digest"), JsonNode.Parse(Blob(descriptor))!);
    }
}
