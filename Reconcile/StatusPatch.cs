using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>
/// The status of a job or list as a merge patch: every field that we own is written, the absent ones as null, so that what is no
/// longer true goes and what others added stays.
/// </summary>
public static class StatusPatch
{
    public static ReadOnlyMemory<byte> Write<T>(string resourceVersion, T status, JsonTypeInfo<T> type)
        where T : class
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("metadata"u8);
        json.WriteString("resourceVersion"u8, resourceVersion);
        json.WriteEndObject();
        json.WriteStartObject("status"u8);
        foreach (var property in type.Properties) WriteProperty(json, property, status);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteProperty(Utf8JsonWriter json, JsonPropertyInfo property, object status)
    {
        json.WritePropertyName(property.Name);
        if (property.Get!(status) is { } value) JsonSerializer.Serialize(json, value, CrdJson.Default.GetTypeInfo(property.PropertyType)!);
        else json.WriteNullValue();
    }
}
