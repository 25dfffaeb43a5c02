using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>An OCI image of one architecture: its blobs and its manifest. What goes in decides every byte, and so the digests.</summary>
public sealed class ImageContent
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    /// <summary>"+json" and not "\u002Bjson": people read these files too.</summary>
    private static readonly JsonSerializerOptions plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public const string IndexType = "application/vnd.oci.image.index.v1+json";

    /// <summary>Made from a seed. The bytes are random, so that the size on the wire is the size asked for.</summary>
    public ImageContent(int seed, long bytes, int layers = 3, string architecture = "amd64")
        : this(RandomLayers(seed, bytes, layers), CompressionLevel.NoCompression, new JsonObject { ["architecture"] = architecture, ["os"] = "linux", ["config"] = new JsonObject() }, null)
    {
    }

    /// <param name="layers">Tars.</param>
    /// <param name="configuration">The image's configuration but for <c>rootfs</c>.</param>
    public ImageContent(IEnumerable<byte[]> layers, CompressionLevel compression, JsonObject configuration, JsonObject? annotations)
    {
        var layerBlobs = new JsonArray();
        var differences = new JsonArray();
        foreach (var tar in layers)
        {
            differences.Add(Digest(tar));
            layerBlobs.Add(Add("application/vnd.oci.image.layer.v1.tar+gzip", Gzip(tar, compression)));
        }
        configuration["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = differences };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Add("application/vnd.oci.image.config.v1+json", Json(configuration)),
            ["layers"] = layerBlobs,
        };
        if (annotations is not null)
            manifest["annotations"] = annotations;
        Manifest = Json(manifest);
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
        ["mediaType"] = IndexType,
        ["manifests"] = new JsonArray(ForPlatform(manifest, architecture)),
    });

    public static JsonObject ForPlatform(byte[] manifest, string architecture)
    {
        var descriptor = Descriptor(ManifestType, manifest);
        descriptor["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        return descriptor;
    }

    public static JsonObject Descriptor(string mediaType, byte[] content) =>
        new() { ["mediaType"] = mediaType, ["digest"] = Digest(content), ["size"] = content.Length };

    public static byte[] Json(JsonObject value) => Encoding.UTF8.GetBytes(value.ToJsonString(plain));

    private JsonObject Add(string mediaType, byte[] content)
    {
        Blobs[Digest(content)] = content;
        return Descriptor(mediaType, content);
    }

    private static IEnumerable<byte[]> RandomLayers(int seed, long bytes, int layers)
    {
        var random = new Random(seed);
        for (var layer = 0; layer < layers; layer++)
        {
            var content = new byte[bytes / layers];
            random.NextBytes(content);
            yield return Tar(new PaxTarEntry(TarEntryType.RegularFile, $"layer-{layer}")
            {
                DataStream = new MemoryStream(content),
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        }
    }

    public static byte[] Tar(params IEnumerable<TarEntry> entries)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, leaveOpen: true))
            foreach (var entry in entries)
                writer.WriteEntry(entry);
        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] content, CompressionLevel compression)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, compression, leaveOpen: true))
            gzip.Write(content);
        return stream.ToArray();
    }
}
