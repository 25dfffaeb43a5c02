using System.Text.Json;

namespace KruiseImage.Cri;

/// <summary>
/// How far a pull is, in bytes. Pure arithmetic over what containerd's content service lists: no clock, no IO.
/// </summary>
/// <param name="BytesDone">On the node: committed blobs and downloads on their way.</param>
/// <param name="BytesTotal">Config and layers of the manifest of this node's platform.</param>
public sealed record PullProgress(long BytesDone, long BytesTotal)
{
    /// <summary>0 to 99. A pull is at 100 only when the runtime says that it has ended: unpacking comes after the last byte.</summary>
    public int Percent => BytesTotal <= 0 ? 0 : (int)Math.Clamp(BytesDone * 100.0 / BytesTotal, 0, 99);

    /// <summary>Whether bytes are still to come: else the runtime unpacks, and silence means nothing.</summary>
    public bool IsFetching => BytesDone < BytesTotal;

    public static PullProgress Of(IReadOnlyCollection<ContentPart> parts, IReadOnlySet<string> committed, IReadOnlyDictionary<string, long> inFlight)
    {
        long done = 0, total = 0;
        foreach (var part in parts)
        {
            total += part.Bytes;
            if (committed.Contains(part.Digest)) done += part.Bytes;
            else if (inFlight.TryGetValue(part.Digest, out var offset)) done += Math.Clamp(offset, 0, part.Bytes);
        }
        return new PullProgress(done, total);
    }

    /// <summary>The digest that a download's ref ends with: "layer-sha256:…"; null for others.</summary>
    public static string? DigestOf(string contentRef) =>
        contentRef.IndexOf("-sha256:", StringComparison.Ordinal) is > 0 and var dash ? contentRef[(dash + 1)..] : null;
}

/// <summary>A config or layer of a manifest.</summary>
public sealed record ContentPart(string Digest, long Bytes)
{
    /// <summary>Read from the registry, so anything may be wrong with it.</summary>
    private const int MaxParts = 1000;

    /// <summary>The config and layers of an image manifest, each once; null when the blob is something else.</summary>
    public static IReadOnlyCollection<ContentPart>? OfManifest(ReadOnlyMemory<byte> manifest)
    {
        try
        {
            using var document = JsonDocument.Parse(manifest);
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } root || !root.TryGetProperty("layers", out var layers)
                || !root.TryGetProperty("config", out var config) || layers.ValueKind != JsonValueKind.Array || layers.GetArrayLength() > MaxParts)
                return null;
            var parts = new Dictionary<string, ContentPart>(StringComparer.Ordinal);
            foreach (var descriptor in layers.EnumerateArray().Append(config))
            {
                if (Read(descriptor) is { } part) parts[part.Digest] = part;
            }
            return parts.Values;
        }
        catch (JsonException)
        {
            return null; // a layer or a text: not every blob is a manifest
        }
    }

    private static ContentPart? Read(JsonElement descriptor) =>
        descriptor.ValueKind == JsonValueKind.Object
        && descriptor.TryGetProperty("digest", out var digest) && digest.ValueKind == JsonValueKind.String
        && descriptor.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out var bytes) && bytes >= 0
            ? new ContentPart(digest.GetString()!, bytes)
            : null;
}
