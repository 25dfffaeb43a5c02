using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed.Releases;

/// <summary>
/// The product's image, <c>FROM scratch</c>: one index with an image for each architecture that there is an executable for, each with
/// that one file. Written as OCI image layout, and that as a tar, which <c>skopeo</c>, <c>ctr</c> and <c>podman</c> read.
/// </summary>
public sealed class ReleaseImage
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly ReleaseStamp stamp;
    private readonly SortedDictionary<string, byte[]> blobs = new(StringComparer.Ordinal);

    /// <param name="executables">Architecture, as OCI names it ("amd64"), to the file's bytes.</param>
    public ReleaseImage(ReleaseStamp stamp, IEnumerable<KeyValuePair<string, byte[]>> executables)
    {
        this.stamp = stamp;
        var manifests = new JsonArray();
        foreach (var (architecture, executable) in executables.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var image = ForArchitecture(architecture, executable);
            foreach (var (digest, content) in image.Blobs)
                blobs[digest] = content;
            blobs[image.ManifestDigest] = image.Manifest;
            manifests.Add(ImageContent.ForPlatform(image.Manifest, architecture));
        }
        Index = ImageContent.Json(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ImageContent.IndexType,
            ["manifests"] = manifests,
            ["annotations"] = Labels(),
        });
        blobs[Digest] = Index;
    }

    public byte[] Index { get; }

    /// <summary>The digest that the image has in every registry.</summary>
    public string Digest => ImageContent.Digest(Index);

    /// <summary>Writes the layout into a new directory.</summary>
    public void WriteLayout(string directory)
    {
        foreach (var (path, content) in Files())
        {
            var file = Path.Combine(directory, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, content);
        }
    }

    /// <summary>Writes the same files as one tar, an "oci-archive".</summary>
    public void WriteArchive(string file) => File.WriteAllBytes(file, ImageContent.Tar(Files().Select(entry => Entry(
        entry.Path, entry.Content, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead))));

    private IEnumerable<(string Path, byte[] Content)> Files()
    {
        var named = ImageContent.Descriptor(ImageContent.IndexType, Index);
        // The first is read by skopeo and podman; the second by containerd, which wants the whole name, as a kubelet asks for it.
        named["annotations"] = new JsonObject
        {
            ["org.opencontainers.image.ref.name"] = stamp.Version,
            ["io.containerd.image.name"] = $"docker.io/library/{ReleaseStamp.Name}:{stamp.Version}",
        };
        yield return ("oci-layout", ImageContent.Json(new JsonObject { ["imageLayoutVersion"] = "1.0.0" }));
        yield return ("index.json", ImageContent.Json(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = ImageContent.IndexType, ["manifests"] = new JsonArray(named) }));
        foreach (var (digest, content) in blobs)
            yield return ("blobs/" + digest.Replace(':', '/'), content);
    }

    private ImageContent ForArchitecture(string architecture, byte[] executable) => new(
        [ImageContent.Tar(Entry(ReleaseStamp.Name, executable, Executable))],
        CompressionLevel.SmallestSize,
        new JsonObject
        {
            ["created"] = stamp.Created,
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["User"] = "65532:65532",
                ["Env"] = new JsonArray("HOME=/"),
                ["Entrypoint"] = new JsonArray($"/{ReleaseStamp.Name}"),
                ["Labels"] = Labels(),
            },
            ["history"] = new JsonArray(new JsonObject { ["created"] = stamp.Created, ["created_by"] = "e2e/release/release.sh" }),
        },
        Labels());

    private JsonObject Labels()
    {
        const string prefix = "org.opencontainers.image.";
        var labels = new JsonObject
        {
            [prefix + "title"] = ReleaseStamp.Name,
            [prefix + "description"] = "Puts images on the nodes of a Kubernetes cluster before they are needed",
            [prefix + "version"] = stamp.Version,
            [prefix + "revision"] = stamp.Commit,
            [prefix + "created"] = stamp.Created,
            [prefix + "licenses"] = ReleaseStamp.Licenses,
        };
        if (stamp.Source is { } source)
            labels[prefix + "source"] = source.ToString();
        return labels;
    }

    // Root owns it, so that the user it runs as cannot change it.
    private UstarTarEntry Entry(string path, byte[] content, UnixFileMode mode) =>
        new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(content), ModificationTime = stamp.Time, Mode = mode };
}
