using System.Text.Json;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <param name="Image">Its entries here have one tag each.</param>
public readonly record struct SeenEntry(string Image, string Tag, long Version);

/// <param name="Phase">"Succeeded", "Pulling" …</param>
public readonly record struct SeenStatus(string Image, string Tag, long Version, string Phase);

/// <summary>What an event of the watch of NodeImages says, cut down to what the bench asks.</summary>
/// <param name="At">When the line had been read, as TimeProvider.GetTimestamp.</param>
public sealed record NodeImageEvent(string Type, string Name, string Uid, long Generation, string ResourceVersion, IReadOnlyList<SeenEntry> Entries, IReadOnlyList<SeenStatus> Statuses, string? RelabelledTo, long At)
{
    /// <summary>The label that W7 changes.</summary>
    public const string RelabelLabel = "bench.kruise-image/relabelled";

    public bool IsThere => Type is "ADDED" or "MODIFIED";

    public bool HasSucceeded(string image)
    {
        foreach (var status in Statuses)
            if (status.Image == image && status.Phase == "Succeeded")
                return true;
        return false;
    }

    public long? VersionOf(string image)
    {
        foreach (var entry in Entries)
            if (entry.Image == image)
                return entry.Version;
        return null;
    }

    /// <summary>Null for a bookmark.</summary>
    /// <exception cref="BedException">The server ends the watch.</exception>
    public static NodeImageEvent? Read(ReadOnlyMemory<byte> line, long at)
    {
        using var document = JsonDocument.Parse(line);
        var type = document.RootElement.GetProperty("type").GetString()!;
        var it = document.RootElement.GetProperty("object");
        if (type == "ERROR")
            throw new BedException($"the watch of the hollow daemons was ended: {it}");
        if (type is not ("ADDED" or "MODIFIED" or "DELETED"))
            return null;
        var metadata = it.GetProperty("metadata");
        return new(type, metadata.GetProperty("name").GetString()!, metadata.GetProperty("uid").GetString()!, metadata.GetProperty("generation").GetInt64(),
            metadata.GetProperty("resourceVersion").GetString()!,
            [.. Tags(it, "spec", "images").Select(found => new SeenEntry(found.Image, Text(found.Tag, "tag"), Number(found.Tag, "version")))],
            [.. Tags(it, "status", "imageStatuses").Select(found => new SeenStatus(found.Image, Text(found.Tag, "tag"), Number(found.Tag, "version"), Text(found.Tag, "phase")))],
            metadata.TryGetProperty("labels", out var labels) && labels.TryGetProperty(RelabelLabel, out var label) ? label.GetString() : null, at);
    }

    private static IEnumerable<(string Image, JsonElement Tag)> Tags(JsonElement it, string part, string images)
    {
        if (!it.TryGetProperty(part, out var holder) || !holder.TryGetProperty(images, out var map) || map.ValueKind != JsonValueKind.Object)
            yield break;
        foreach (var image in map.EnumerateObject())
            if (image.Value.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array)
                foreach (var tag in tags.EnumerateArray())
                    yield return (image.Name, tag);
    }

    private static string Text(JsonElement it, string name) => it.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static long Number(JsonElement it, string name) => it.TryGetProperty(name, out var value) ? value.GetInt64() : 0;
}
