using System.Buffers;
using System.Text.Json;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>A merge patch of a job's or list's spec that is bound to the version that was read, with one annotation. Pure.</summary>
internal static class MergePatch
{
    /// <param name="annotation">Null takes it away.</param>
    /// <param name="spec">Writes what changes of the spec.</param>
    public static byte[] Of(JsonElement target, string? annotation, string annotationName, Action<Utf8JsonWriter> spec)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("metadata");
            writer.WriteString("resourceVersion", target.GetProperty("metadata").GetProperty("resourceVersion").GetString());
            writer.WriteStartObject("annotations");
            writer.WriteString(annotationName, annotation);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteStartObject("spec");
            spec(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static string? AnnotationOf(JsonElement target, string name) =>
        target.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("annotations", out var annotations) && annotations.ValueKind == JsonValueKind.Object
            && annotations.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
