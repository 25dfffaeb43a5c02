using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// An open watch: lines out of a pipe, one event each. A connection that says nothing, not even a bookmark, for longer than the
/// server lets a watch live is taken for dead.
/// </summary>
public sealed class WatchStream<T>(HttpResponseMessage response, Stream stream, JsonTypeInfo<T> type) : IWatchStream<T>
    where T : class, IKubeObject
{
    /// <summary>An object is at most 1.5 MB in etcd; its JSON in an event somewhat more.</summary>
    private const int LongestLine = 8 << 20;

    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(11);

    private readonly PipeReader _lines = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 << 10));

    public async ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTakeLine() is { } known) return known;
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            silence.CancelAfter(LongestSilence);
            try
            {
                var read = await _lines.ReadAsync(silence.Token).ConfigureAwait(false);
                var ended = read.IsCompleted && !read.Buffer.Contains((byte)'\n');
                var tooLong = read.Buffer.Length > LongestLine && !read.Buffer.Contains((byte)'\n');
                _lines.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (ended || tooLong) return null;
            }
            catch (Exception failure) when (failure is IOException or HttpRequestException or SocketException)
            {
                return null; // the connection broke: as normal as the server closing it
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _lines.CompleteAsync().ConfigureAwait(false);
        response.Dispose();
    }

    private WatchEvent<T>? TryTakeLine()
    {
        while (_lines.TryRead(out var read))
        {
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is not { } end)
            {
                // Examined to its end: the next read waits for more bytes.
                _lines.AdvanceTo(buffer.Start, read.IsCompleted ? buffer.Start : buffer.End);
                return null;
            }

            var line = buffer.Slice(0, end);
            var isBlank = line.Length <= 1;
            var known = isBlank ? default : WatchDecoder.Decode(line, type);
            _lines.AdvanceTo(buffer.GetPosition(1, end));
            if (!isBlank) return known;
        }

        return null;
    }
}

/// <summary>Small things that <see cref="ReadOnlySequence{T}"/> lacks.</summary>
internal static class SequenceExtensions
{
    public static bool Contains(this ReadOnlySequence<byte> sequence, byte value) => sequence.PositionOf(value) is not null;
}
