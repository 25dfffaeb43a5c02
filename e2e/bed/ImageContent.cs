using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>
/// An OCI image made from a seed: the same seed and size always give the same digests. The bytes are random, so that the size on the
/// wire is the size asked for.
/// </summary>
public sealed class ImageContent
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    public ImageContent(int seed, long bytes, int layers = 3, string architecture = "amd64")
    {
        var random = new Random(seed);
        var layerBlobs = new JsonArray();
        var differences = new JsonArray();
        for (var layer = 0; layer < layers; layer++)
        {
            var content = new byte[bytes / layers];
            random.NextBytes(content);
            var tar = Tar($"layer-{layer}", content);
            differences.Add(Digest(tar));
            layerBlobs.Add(Add("application/vnd.oci.image.layer.v1.tar+gzip", Gzip(tar)));
        }
        var configuration = Add("application/vnd.oci.image.config.v1+json", Json(new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = differences },
        }));
        Manifest = Json(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = configuration,
            ["layers"] = layerBlobs,
        });
    }

    /// <summary>Digest to bytes: the layers and the configuration.</summary>
    public Dictionary<string, byte[]> Blobs { get; } = [];

    public byte[] Manifest { get; }

    public string ManifestDigest => Digest(Manifest);

    public static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>An index that offers <paramref name="manifest"/> for one platform only.</summary>
    public static byte[] Index(byte[] manifest, string architecture) => Json(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = "application/vnd.oci.image.index.v1+json",
        ["manifests"] = new JsonArray(new JsonObject
        {
            ["mediaType"] = ManifestType,
            ["digest"] = Digest(manifest),
            ["size"] = manifest.Length,
            ["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" },
        }),
    });

    private JsonObject Add(string mediaType, byte[] content)
    {
        Blobs[Digest(content)] = content;
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = Digest(content), ["size"] = content.Length };
    }

    private static byte[] Json(JsonObject value) => Encoding.UTF8.GetBytes(value.ToJsonString());

    private static byte[] Tar(string name, byte[] content)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, leaveOpen: true))
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(content),
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.NoCompression, leaveOpen: true))
            gzip.Write(content);
        return stream.ToArray();
    }
}
