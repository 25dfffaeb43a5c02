using System.Text.Json;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>A piece of an image that a node fetches once, whatever images share it.</summary>
public readonly record struct Blob(string Digest, long Bytes);

/// <summary>"linux/amd64", as a node says it of itself.</summary>
public readonly record struct Platform(string OperatingSystem, string Architecture)
{
    public override string ToString() => $"{OperatingSystem}/{Architecture}";
}

/// <summary>What a registry answers for a tag or digest: an image, or an index of images for several platforms. Pure.</summary>
public sealed record RegistryManifest(IReadOnlyList<Blob> Blobs, IReadOnlyDictionary<Platform, string> Platforms)
{
    public static readonly string[] MediaTypes =
    [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ];

    public bool IsIndex => Platforms.Count > 0;

    /// <returns>Null when it is neither: an old format, an artifact, a page.</returns>
    public static RegistryManifest? Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            var platforms = new Dictionary<Platform, string>();
            foreach (var entry in root.Items("manifests"))
            {
                // Of several variants of one architecture the first stands for all: they differ little in size.
                if (entry.Text("platform", "os") is { } os && entry.Text("platform", "architecture") is { } architecture && os != "unknown" && entry.Text("digest") is { } digest)
                    platforms.TryAdd(new(os, architecture), digest);
            }
            if (platforms.Count > 0) return new([], platforms);
            var blobs = root.Items("layers").Concat(root.At("config") is { } config ? [config] : []).Select(BlobOf).OfType<Blob>().ToList();
            return blobs.Count > 0 && root.At("config") is not null ? new(blobs, platforms) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Blob? BlobOf(JsonElement descriptor) =>
        descriptor.Text("digest") is { } digest && descriptor.At("size") is { ValueKind: JsonValueKind.Number } size && size.TryGetInt64(out var bytes) && bytes >= 0
            ? new Blob(digest, bytes) : null;
}

/// <summary>How a registry asks who is there: the header WWW-Authenticate. Pure.</summary>
/// <param name="Realm">Where a token is to be had; null for Basic.</param>
public sealed record RegistryChallenge(bool IsBearer, Uri? Realm, string? Service, string? Scope)
{
    /// <returns>Null when it asks for what we do not know.</returns>
    public static RegistryChallenge? Read(string scheme, string? parameters)
    {
        if (scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) return new(false, null, null, null);
        if (!scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) return null;
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = (parameters ?? "").AsSpan();
        while (rest.IndexOf('=') is > 0 and var equals)
        {
            var name = rest[..equals].Trim(" ,").ToString();
            rest = rest[(equals + 1)..];
            var isQuoted = rest.StartsWith("\"");
            if (isQuoted) rest = rest[1..];
            var end = rest.IndexOf(isQuoted ? '"' : ',');
            values[name] = (end < 0 ? rest : rest[..end]).ToString();
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return Uri.TryCreate(values.GetValueOrDefault("realm"), UriKind.Absolute, out var realm) && realm.Scheme is "https" or "http"
            ? new(true, realm, values.GetValueOrDefault("service"), values.GetValueOrDefault("scope")) : null;
    }
}
