using System.Buffers;
using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>How soon a change of the status must be written (contract 5.7).</summary>
public enum StatusUrgency
{
    /// <summary>Nothing changed: nothing is written.</summary>
    None,
    /// <summary>Only bytes, by less than a percent: they go along with the next write, and are never a reason for one.</summary>
    Bytes,
    /// <summary>Only numbers or words of a running pull.</summary>
    Progress,
    /// <summary>An entry appeared, went or began.</summary>
    Acknowledge,
    /// <summary>An entry finished.</summary>
    Finish,
}

/// <summary>The difference of two NodeImage statuses: how urgent it is, and as a merge patch. Pure.</summary>
public static class StatusPatch
{
    public static StatusUrgency Compare(NodeImageStatus? before, NodeImageStatus after)
    {
        if (before is null) return StatusUrgency.Acknowledge;
        var old = Entries(before).ToDictionary(entry => entry.Key, entry => entry.Status);
        var urgency = CountsDiffer(before, after) || before.FirstSyncStatus != after.FirstSyncStatus ? StatusUrgency.Acknowledge : StatusUrgency.None;
        foreach (var (key, now) in Entries(after))
        {
            var was = old.GetValueOrDefault(key);
            old.Remove(key);
            var change = now == was ? StatusUrgency.None
                : was is not null && now with { BytesDone = null, BytesTotal = null } == was with { BytesDone = null, BytesTotal = null } ? StatusUrgency.Bytes
                : PullPhase.IsFinished(now.Phase) ? StatusUrgency.Finish
                : was?.Version != now.Version || was.Phase != now.Phase ? StatusUrgency.Acknowledge
                : StatusUrgency.Progress;
            if (change > urgency) urgency = change;
        }
        return old.Count > 0 && urgency < StatusUrgency.Acknowledge ? StatusUrgency.Acknowledge : urgency;
    }

    /// <summary>
    /// RFC 7396, with only what changed: images that went as null, lists of tags whole. The uid makes the server refuse the patch when
    /// the NodeImage is another one by now.
    /// </summary>
    public static ReadOnlyMemory<byte> Write(string? uid, NodeImageStatus? before, NodeImageStatus after)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteStartObject("metadata");
        writer.WriteString("uid", uid);
        writer.WriteEndObject();
        writer.WriteStartObject("status");
        WriteCount(writer, "desired", before?.Desired, after.Desired);
        WriteCount(writer, "succeeded", before?.Succeeded, after.Succeeded);
        WriteCount(writer, "failed", before?.Failed, after.Failed);
        WriteCount(writer, "pulling", before?.Pulling, after.Pulling);
        WriteCount(writer, "waiting", before?.Waiting, after.Waiting);
        WriteImages(writer, before?.ImageStatuses ?? [], after.ImageStatuses ?? []);
        if (after.FirstSyncStatus is { } sync && sync != before?.FirstSyncStatus)
        {
            writer.WritePropertyName("firstSyncStatus");
            JsonSerializer.Serialize(writer, sync, CrdJson.Default.FirstSyncStatus);
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteCount(Utf8JsonWriter writer, string name, int? before, int after)
    {
        if (before != after) writer.WriteNumber(name, after);
    }

    private static void WriteImages(Utf8JsonWriter writer, Dictionary<string, ImageStatus> before, Dictionary<string, ImageStatus> after)
    {
        var changed = after.Where(image => !Same(before.GetValueOrDefault(image.Key), image.Value)).OrderBy(image => image.Key, StringComparer.Ordinal).ToList();
        var gone = before.Keys.Where(image => !after.ContainsKey(image)).Order(StringComparer.Ordinal).ToList();
        if (changed.Count == 0 && gone.Count == 0) return;
        writer.WriteStartObject("imageStatuses");
        foreach (var (image, status) in changed)
        {
            writer.WritePropertyName(image);
            JsonSerializer.Serialize(writer, status, CrdJson.Default.ImageStatus);
        }
        foreach (var image in gone) writer.WriteNull(image);
        writer.WriteEndObject();
    }

    private static bool Same(ImageStatus? one, ImageStatus other) => one?.Tags is { } tags && tags.SequenceEqual(other.Tags ?? []);

    private static bool CountsDiffer(NodeImageStatus one, NodeImageStatus other) =>
        (one.Desired, one.Succeeded, one.Failed, one.Pulling, one.Waiting) != (other.Desired, other.Succeeded, other.Failed, other.Pulling, other.Waiting);

    private static IEnumerable<((string Image, string? Tag) Key, ImageTagStatus Status)> Entries(NodeImageStatus status) =>
        from image in status.ImageStatuses ?? []
        from tag in image.Value?.Tags ?? []
        select ((image.Key, tag.Tag), tag);
}
