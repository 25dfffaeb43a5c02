using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>One version of an object, as the server keeps it. Never changes; what it was read as is read once.</summary>
public sealed class StoredObject
{
    private object? _typed;

    private StoredObject(string key, long version, byte[] utf8, JsonElement json) => (Key, Version, Utf8, Json) = (key, version, utf8, json);

    /// <summary>"name", or "namespace/name".</summary>
    public string Key { get; }

    public long Version { get; }

    public ReadOnlyMemory<byte> Utf8 { get; }

    public JsonElement Json { get; }

    internal string? Uid => Meta("uid");

    internal bool IsDeleting => Metadata.TryGetProperty("deletionTimestamp", out _);

    internal JsonElement Metadata => Json.GetProperty("metadata");

    /// <summary>Null when our types cannot hold it; <paramref name="why"/> says why.</summary>
    public T? Read<T>(JsonTypeInfo<T> type, out string? why)
        where T : class
    {
        why = null;
        if (_typed is T known) return known;
        (var typed, why) = Decode(type);
        _typed = typed;
        return typed;
    }

    /// <summary>The object that our types can hold; anything else is a mistake of the caller.</summary>
    public T Read<T>(Resource<T> resource)
        where T : class, IKubeObject => Read(resource.Type, out var why) ?? throw new InvalidOperationException($"{Key}: {why}");

    /// <summary>A copy to change: what is not touched is not copied.</summary>
    internal JsonObject ToMutable() => JsonObject.Create(Json)!;

    internal string? Meta(string field) => Metadata.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The same object at another version: of a deletion, or when it left a selector.</summary>
    internal StoredObject At(long version) => Of(Key, version, ToMutable());

    /// <summary>Takes the tree; it must not be used any more.</summary>
    internal static StoredObject Of(string key, long version, JsonObject tree)
    {
        ((JsonObject)tree["metadata"]!)["resourceVersion"] = SimApiServer.Text(version);
        var utf8 = ToUtf8(tree);
        return new(key, version, utf8, Parse(utf8));
    }

    internal static byte[] ToUtf8(JsonNode tree)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = CrdJson.MaxDepth, SkipValidation = true })) tree.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    internal static JsonElement Parse(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = CrdJson.MaxDepth });
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>As the product's client says it.</summary>
    private (T? Typed, string? Why) Decode<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return (JsonSerializer.Deserialize(Utf8.Span, type), null);
        }
        catch (JsonException unreadable)
        {
            return (null, unreadable.Message);
        }
    }

    /// <summary>An event about this version. One that cannot be read, or is read by what a cache knows, goes the way of a line of the stream.</summary>
    internal WatchEvent<T> Event<T>(WatchEventKind kind, Resource<T> resource, ILister<T>? cache)
        where T : class, IKubeObject => (cache is null || resource.ReadCached is null) && Read(resource.Type, out _) is { } typed
            ? new WatchEvent<T>(kind, typed, typed.Metadata.ResourceVersion)
            : WatchDecoder.Decode(Line(kind.ToString().ToUpperInvariant(), Utf8.Span), resource, cache);

    internal static ReadOnlySequence<byte> Line(string type, ReadOnlySpan<byte> utf8)
    {
        var start = Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","object":""");
        return new ReadOnlySequence<byte>([.. start, .. utf8, (byte)'}']);
    }
}

/// <summary>One write that changed something, and was therefore given a version.</summary>
internal sealed class Change(long version, StoredObject? before, StoredObject? after)
{
    private StoredObject? _departed;

    public long Version => version;

    public StoredObject? Before => before;

    /// <summary>Null: the object was deleted.</summary>
    public StoredObject? After => after;

    /// <summary>What a watch is told of an object that is gone: its last state, with the version of its going.</summary>
    public StoredObject Departed => _departed ??= before!.At(version);
}
