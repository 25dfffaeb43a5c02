using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>
/// A job's status as a merge patch: every field that we own is written, the absent ones as null, so that what is no longer true
/// goes and what others added stays.
/// </summary>
public static class JobStatusPatch
{
    public static ReadOnlyMemory<byte> Write(string resourceVersion, ImagePullJobStatus status)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("metadata"u8);
        json.WriteString("resourceVersion"u8, resourceVersion);
        json.WriteEndObject();
        json.WriteStartObject("status"u8);
        foreach (var property in CrdJson.Default.ImagePullJobStatus.Properties) WriteProperty(json, property, status);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteProperty(Utf8JsonWriter json, JsonPropertyInfo property, ImagePullJobStatus status)
    {
        json.WritePropertyName(property.Name);
        if (property.Get!(status) is { } value) JsonSerializer.Serialize(json, value, CrdJson.Default.GetTypeInfo(property.PropertyType)!);
        else json.WriteNullValue();
    }
}
