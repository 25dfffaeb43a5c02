using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
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

    private static T? Decode<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = type.Options.MaxDepth });
        var value = JsonSerializer.Deserialize(ref reader, type);
        reader.Read(); // throws when more follows
        return value;
    }
}
