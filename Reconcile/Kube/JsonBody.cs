using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// One JSON value out of a response's body, gathered in pooled buffers and decoded at once. Not by the serializer's asynchronous
/// reader: a mention of that gives every JSON type in the executable a task, a state machine and their relatives (0.7 MB).
/// </summary>
public static class JsonBody
{
    private static readonly StreamPipeReaderOptions Options = new(bufferSize: 16 << 10);

    /// <exception cref="JsonException">It is not JSON, not of this type, or more follows.</exception>
    public static async ValueTask<T?> Read<T>(Stream body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var bytes = PipeReader.Create(body, Options);
        try
        {
            while (true)
            {
                var read = await bytes.ReadAsync(cancellationToken).ConfigureAwait(false);
                if (read.IsCompleted) return Decode(read.Buffer, type);
                bytes.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        finally
        {
            await bytes.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The value that the reader is at. <see cref="JsonSerializer"/> itself looks for its end before it reads it, so that every byte is
    /// looked at twice; its converters do not.
    /// </summary>
    /// <exception cref="JsonException">It is not JSON, or not of this type.</exception>
    public static T? ReadValue<T>(ref Utf8JsonReader reader, JsonTypeInfo<T> type)
    {
        var again = reader;
        try
        {
            return ((JsonConverter<T>)type.Converter).Read(ref reader, typeof(T), type.Options);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            return JsonSerializer.Deserialize(ref again, type); // fails too, and says where
        }
    }

    private static T? Decode<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = type.Options.MaxDepth });
        reader.Read();
        var value = ReadValue(ref reader, type);
        reader.Read(); // throws when more follows
        return value;
    }
}
