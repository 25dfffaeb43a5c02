using System.Buffers;
using System.Text.Json;

namespace KruiseImage.Reconcile;

/// <summary>The finalizers of a job as a merge patch, bound to the job that was read: none of another's is lost.</summary>
public static class JobFinalizersPatch
{
    public static ReadOnlyMemory<byte> Write(string resourceVersion, IReadOnlyList<string> finalizers)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("metadata"u8);
        json.WriteString("resourceVersion"u8, resourceVersion);
        json.WriteStartArray("finalizers"u8);
        foreach (var finalizer in finalizers) json.WriteStringValue(finalizer);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
