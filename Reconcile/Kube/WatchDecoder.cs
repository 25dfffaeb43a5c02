using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// One line of a watch to one event. Allocates the object and nothing else. Never throws on what a server sends. An object that our
/// types cannot hold (stored before the schema had its rules) is told as deleted, with the reason: to us it is not there, and the
/// watch goes on to the others. Pure.
/// </summary>
public static class WatchDecoder
{
    private static readonly JsonReaderOptions Depth = new() { MaxDepth = CrdJson.MaxDepth };

    /// <param name="cache">When given, an object may share with its former version there what they have in common.</param>
    public static WatchEvent<T> Decode<T>(ReadOnlySequence<byte> line, Resource<T> resource, ILister<T>? cache = null)
        where T : class, IKubeObject
    {
        try
        {
            var reader = new Utf8JsonReader(line, Depth);
            return Decode(ref reader, resource, cache);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return Unreadable(line, resource.Type, malformed.Message);
        }
    }

    /// <summary>What the metadata alone says about an object that cannot be read whole.</summary>
    private static WatchEvent<T> Unreadable<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> type, string why)
        where T : class, IKubeObject
    {
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = CrdJson.MaxDepth });
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("type", out var kind) && kind.ValueEquals("ERROR"u8) is false
                && root.TryGetProperty("object"u8, out var found) && UnreadableObject.Remains(found, type) is { Metadata.ResourceVersion: { } version } remains)
                return new WatchEvent<T>(WatchEventKind.Deleted, remains, version, Message: UnreadableObject.Sentence(remains.Metadata, why));
        }
        catch (Exception hopeless) when (hopeless is JsonException or InvalidOperationException)
        {
            return Malformed<T>(why);
        }

        return Malformed<T>(why);
    }

    private static WatchEvent<T> Decode<T>(ref Utf8JsonReader reader, Resource<T> resource, ILister<T>? cache)
        where T : class, IKubeObject
    {
        WatchEventKind? kind = null;
        Utf8JsonReader early = default;
        var isEarly = false;
        T? value = null;
        ApiStatus? status = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return Malformed<T>("an object was expected");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                kind = KindOf(ref reader);
            }
            else if (reader.ValueTextEquals("object"u8) && kind is { } known)
            {
                ReadObject(ref reader, known, resource, cache, ref value, ref status);
            }
            else
            {
                if (reader.ValueTextEquals("object"u8))
                {
                    early = reader; // before its type: read again below
                    isEarly = true;
                }

                reader.Skip();
            }
        }

        reader.Read(); // throws when more follows
        if (kind is not { } decided) return Malformed<T>("the event has no type");
        if (isEarly) ReadObject(ref early, decided, resource, cache, ref value, ref status);
        return Compose(decided, value, status);
    }

    private static void ReadObject<T>(ref Utf8JsonReader reader, WatchEventKind kind, Resource<T> resource, ILister<T>? cache, ref T? value, ref ApiStatus? status)
        where T : class, IKubeObject
    {
        reader.Read();
        if (kind == WatchEventKind.Error) status = JsonBody.ReadValue(ref reader, CrdJson.Default.ApiStatus);
        else value = ReadCached(ref reader, resource, cache) ?? JsonBody.ReadValue(ref reader, resource.Type);
    }

    private static T? ReadCached<T>(ref Utf8JsonReader reader, Resource<T> resource, ILister<T>? cache)
        where T : class, IKubeObject
    {
        if (resource.ReadCached is not { } read || cache is null) return null;
        var start = reader;
        if (read(ref reader, cache) is { } value) return value;
        reader = start;
        return null;
    }

    private static WatchEvent<T> Compose<T>(WatchEventKind kind, T? value, ApiStatus? status)
        where T : class, IKubeObject
    {
        if (kind == WatchEventKind.Error)
            return new WatchEvent<T>(kind, null, null, ApiErrors.Of(status?.Code ?? 500, status), status?.Message ?? "the watch failed");
        if (value is null || (kind != WatchEventKind.Bookmark && value.Metadata.Name is null)) return Malformed<T>("the event has no object");
        var version = value.Metadata.ResourceVersion;
        return new WatchEvent<T>(kind, kind == WatchEventKind.Bookmark ? null : value, version);
    }

    private static WatchEventKind? KindOf(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("MODIFIED"u8)) return WatchEventKind.Modified;
        if (reader.ValueTextEquals("ADDED"u8)) return WatchEventKind.Added;
        if (reader.ValueTextEquals("DELETED"u8)) return WatchEventKind.Deleted;
        if (reader.ValueTextEquals("BOOKMARK"u8)) return WatchEventKind.Bookmark;
        return reader.ValueTextEquals("ERROR"u8) ? WatchEventKind.Error : null;
    }

    private static WatchEvent<T> Malformed<T>(string why)
        where T : class => new(WatchEventKind.Error, null, null, ApiError.Failed, $"the watch sent what is not understood: {why}");
}
