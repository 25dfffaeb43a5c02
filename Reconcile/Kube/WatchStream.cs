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
        while (await Read(cancellationToken).ConfigureAwait(false) is { } read)
        {
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var isBlank = line.Length <= 1;
                var known = isBlank ? default : WatchDecoder.Decode(line, type);
                _lines.AdvanceTo(buffer.GetPosition(1, end));
                if (!isBlank) return known;
                continue;
            }

            var isOver = read.IsCompleted || buffer.Length > LongestLine;
            _lines.AdvanceTo(buffer.Start, buffer.End); // all seen: the next read waits for more
            if (isOver) return null;
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _lines.CompleteAsync().ConfigureAwait(false);
        response.Dispose();
    }

    /// <returns>Null when the connection broke or fell silent: as normal as the server closing it.</returns>
    private async ValueTask<ReadResult?> Read(CancellationToken cancellationToken)
    {
        if (_lines.TryRead(out var buffered)) return buffered;
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(LongestSilence);
        try
        {
            return await _lines.ReadAsync(silence.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or SocketException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
