using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KruiseImage.Reconcile;

/// <summary>
/// Writes an RFC 6902 patch as UTF-8. Used where a merge patch would have to repeat (and so could lose) what others wrote into
/// the same list. "add" sets a member of an object whether it exists or not.
/// </summary>
public sealed class JsonPatch : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private readonly Utf8JsonWriter _json;

    public JsonPatch()
    {
        _json = new Utf8JsonWriter(_buffer);
        _json.WriteStartArray();
    }

    /// <summary>Operations that change something.</summary>
    public int Changes { get; private set; }

    /// <summary>One step of a JSON pointer.</summary>
    public static string Escape(string step) => step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    public void Test(string path, long value)
    {
        Begin("test", path);
        _json.WriteNumber("value"u8, value);
        _json.WriteEndObject();
    }

    public void Test(string path, string value)
    {
        Begin("test", path);
        _json.WriteString("value"u8, value);
        _json.WriteEndObject();
    }

    public void Add<T>(string path, T value, JsonTypeInfo<T> type)
    {
        Begin("add", path);
        _json.WritePropertyName("value"u8);
        JsonSerializer.Serialize(_json, value, type);
        _json.WriteEndObject();
        Changes++;
    }

    public void Remove(string path)
    {
        Begin("remove", path);
        _json.WriteEndObject();
        Changes++;
    }

    public ReadOnlyMemory<byte> ToUtf8()
    {
        _json.WriteEndArray();
        _json.Flush();
        return _buffer.WrittenMemory;
    }

    public void Dispose() => _json.Dispose();

    private void Begin(string operation, string path)
    {
        _json.WriteStartObject();
        _json.WriteString("op"u8, operation);
        _json.WriteString("path"u8, path);
    }
}
