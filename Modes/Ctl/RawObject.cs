using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// An object exactly as the server sent it, for "-o json" and "-o yaml": a field that we do not know must not vanish from what a script reads.
/// </summary>
[JsonConverter(typeof(RawObjectConverter))]
public sealed record RawObject(JsonElement Json, ObjectMeta Metadata) : IKubeObject
{
    // A terminal is no web page: "<" and "&" in messages stay readable.
    private static readonly JsonWriterOptions Pretty = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonWriterOptions Compact = Pretty with { Indented = false };

    /// <summary>In one line, for a stream of them.</summary>
    public string PrintLine(string kind)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact)) WriteTo(writer, kind);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>One object as kubectl prints it.</summary>
    public string Print(string kind, OutputFormat format) => Print(writer => WriteTo(writer, kind), format);

    /// <summary>A v1 List, as kubectl prints it.</summary>
    public static string PrintList(IEnumerable<RawObject> objects, string kind, OutputFormat format) => Print(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion", "v1");
        writer.WriteString("kind", "List");
        writer.WriteStartArray("items");
        foreach (var item in objects) item.WriteTo(writer, kind);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }, format);

    /// <summary>What is written, as JSON that people can read, or as YAML.</summary>
    public static string Print(Action<Utf8JsonWriter> write, OutputFormat format)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Pretty)) write(writer);
        return format == OutputFormat.Yaml ? YamlText.Of(buffer.WrittenSpan) : Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Items of a list lack apiVersion and kind: the server says them once, for the list.</summary>
    private void WriteTo(Utf8JsonWriter writer, string kind)
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion", Json.TryGetProperty("apiVersion", out var version) ? version.GetString() : kind == nameof(Event) ? "v1" : Defaults.ApiVersion);
        writer.WriteString("kind", Json.TryGetProperty("kind", out var known) ? known.GetString() : kind);
        foreach (var property in Json.EnumerateObject())
        {
            if (property.Name is "apiVersion" or "kind") continue;
            writer.WritePropertyName(property.Name);
            if (property.Name == "metadata") WriteMetadata(writer, property.Value);
            else property.Value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    /// <summary>Without managedFields, as kubectl: bookkeeping that drowns the rest.</summary>
    private static void WriteMetadata(Utf8JsonWriter writer, JsonElement metadata)
    {
        writer.WriteStartObject();
        foreach (var property in metadata.EnumerateObject())
            if (property.Name != "managedFields") property.WriteTo(writer);
        writer.WriteEndObject();
    }
}

internal sealed class RawObjectConverter : JsonConverter<RawObject>
{
    public override RawObject Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var json = JsonElement.ParseValue(ref reader);
        var metadata = json.TryGetProperty("metadata", out var value) ? value.Deserialize(CrdJson.Default.ObjectMeta) : null;
        return new RawObject(json, metadata ?? new());
    }

    public override void Write(Utf8JsonWriter writer, RawObject value, JsonSerializerOptions options) => value.Json.WriteTo(writer);
}
