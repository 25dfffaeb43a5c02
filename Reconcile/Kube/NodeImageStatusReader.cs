using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The status of a NodeImage, as the generated reader of <see cref="CrdJson"/> reads it, but quicker (make micro, DecodeStatus: 4.6 µs in
/// place of 8.2): a hundred of them come in a second while pulls are under way. Unit tests hold the two against each other. Pure.
/// </summary>
internal static class NodeImageStatusReader
{
    private static readonly OptionalTimeConverter Time = new();

    /// <summary>The value that the reader is at.</summary>
    /// <exception cref="JsonException">It is not JSON, or not of this type.</exception>
    public static NodeImageStatus? Read(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader, JsonTokenType.StartObject)) return null;
        int desired = 0, succeeded = 0, failed = 0, pulling = 0, waiting = 0;
        Dictionary<string, ImageStatus>? images = null;
        FirstSyncStatus? firstSync = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IsAt(ref reader, "imageStatuses"u8)) images = ReadImages(ref reader);
            else if (IsAt(ref reader, "desired"u8)) desired = Int32Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "succeeded"u8)) succeeded = Int32Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "failed"u8)) failed = Int32Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "pulling"u8)) pulling = Int32Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "waiting"u8)) waiting = Int32Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "firstSyncStatus"u8)) firstSync = ReadFirstSync(ref reader);
            else reader.Skip();
        }

        return new()
        {
            Desired = desired,
            Succeeded = succeeded,
            Failed = failed,
            Pulling = pulling,
            Waiting = waiting,
            ImageStatuses = images,
            FirstSyncStatus = firstSync,
        };
    }

    private static Dictionary<string, ImageStatus>? ReadImages(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader, JsonTokenType.StartObject)) return null;
        var images = new Dictionary<string, ImageStatus>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Interned.Read(ref reader)!;
            reader.Read();
            images[name] = ReadImage(ref reader)!; // null where somebody wrote null, which readers of statuses expect
        }

        return images;
    }

    private static ImageStatus? ReadImage(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader, JsonTokenType.StartObject)) return null;
        List<ImageTagStatus>? tags = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IsAt(ref reader, "tags"u8)) tags = ReadTags(ref reader);
            else reader.Skip();
        }

        return new() { Tags = tags };
    }

    private static List<ImageTagStatus>? ReadTags(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader, JsonTokenType.StartArray)) return null;
        var tags = new List<ImageTagStatus>(1);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) tags.Add(ReadTag(ref reader)!);
        return tags;
    }

    private static ImageTagStatus? ReadTag(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader, JsonTokenType.StartObject)) return null;
        string? tag = null, phase = null, imageId = null, reason = null, message = null;
        var progress = 0;
        long version = 0;
        long? bytesDone = null, bytesTotal = null;
        DateTimeOffset? started = null, completed = null, nextAttempt = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IsAt(ref reader, "tag"u8)) tag = Interned.Read(ref reader);
            else if (IsAt(ref reader, "phase"u8)) phase = Interned.Read(ref reader);
            else if (IsAt(ref reader, "progress"u8)) progress = Int32Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "version"u8)) version = Int64Converter.ReadSaturated(ref reader);
            else if (IsAt(ref reader, "startTime"u8)) started = ReadTime(ref reader);
            else if (IsAt(ref reader, "bytesDone"u8)) bytesDone = ReadCount(ref reader);
            else if (IsAt(ref reader, "bytesTotal"u8)) bytesTotal = ReadCount(ref reader);
            else if (IsAt(ref reader, "completionTime"u8)) completed = ReadTime(ref reader);
            else if (IsAt(ref reader, "imageID"u8)) imageId = Interned.Read(ref reader);
            else if (IsAt(ref reader, "reason"u8)) reason = Interned.Read(ref reader);
            else if (IsAt(ref reader, "message"u8)) message = reader.GetString();
            else if (IsAt(ref reader, "nextAttemptTime"u8)) nextAttempt = ReadTime(ref reader);
            else reader.Skip();
        }

        return new()
        {
            Tag = tag,
            Phase = phase,
            Progress = progress,
            BytesDone = bytesDone,
            BytesTotal = bytesTotal,
            StartTime = started,
            CompletionTime = completed,
            NextAttemptTime = nextAttempt,
            Version = version,
            ImageID = imageId,
            Reason = reason,
            Message = message,
        };
    }

    private static FirstSyncStatus? ReadFirstSync(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader, JsonTokenType.StartObject)) return null;
        DateTimeOffset? at = null;
        string? status = null, message = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IsAt(ref reader, "syncAt"u8)) at = ReadTime(ref reader);
            else if (IsAt(ref reader, "status"u8)) status = reader.GetString();
            else if (IsAt(ref reader, "message"u8)) message = reader.GetString();
            else reader.Skip();
        }

        return new() { SyncAt = at, Status = status, Message = message };
    }

    /// <summary>Whether the property is the one of this name; then the reader goes on to its value.</summary>
    private static bool IsAt(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) => reader.ValueTextEquals(name) && reader.Read();

    private static bool IsNull(ref Utf8JsonReader reader, JsonTokenType start)
    {
        if (reader.TokenType == start) return false;
        return reader.TokenType == JsonTokenType.Null ? true : throw new JsonException($"{reader.TokenType} is not {start}");
    }

    private static long? ReadCount(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Int64Converter.ReadSaturated(ref reader);

    private static DateTimeOffset? ReadTime(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Null ? null : Time.Read(ref reader, typeof(DateTimeOffset?), CrdJson.Default.Options);
}
