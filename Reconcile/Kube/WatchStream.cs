using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// An open watch: lines out of a pipe, one event each. Memory is bounded by the longest line allowed; a longer one ends the watch.
/// Opened by <see cref="KubeClient"/>; when it is overdue is the business of <see cref="TimedWatch{T}"/>.
/// </summary>
/// <param name="response">Disposed of with the watch; that closes the connection.</param>
public sealed class WatchStream<T>(IDisposable response, Stream stream, JsonTypeInfo<T> type) : IWatchStream<T>
    where T : class, IKubeObject
{
    /// <summary>An object is at most 1.5 MB in etcd; its JSON in an event somewhat more.</summary>
    private const int LongestLine = 8 << 20;

    private readonly PipeReader _bytes = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 << 10));

    public async ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read;
            try
            {
                read = await _bytes.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is IOException or HttpRequestException or SocketException)
            {
                return null; // the connection broke: as normal as the server closing it
            }

            var rest = read.Buffer;
            if (TryTakeEvent(ref rest, out var taken))
            {
                _bytes.AdvanceTo(rest.Start);
                return taken;
            }

            _bytes.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted || rest.Length > LongestLine) return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _bytes.CompleteAsync().ConfigureAwait(false);
        response.Dispose();
    }

    /// <summary>The first line that is not blank, taken off the front of <paramref name="bytes"/>.</summary>
    private bool TryTakeEvent(ref ReadOnlySequence<byte> bytes, out WatchEvent<T> taken)
    {
        while (bytes.PositionOf((byte)'\n') is { } end)
        {
            var line = bytes.Slice(0, end);
            bytes = bytes.Slice(bytes.GetPosition(1, end));
            if (line.Length <= 1) continue;
            taken = WatchDecoder.Decode(line, type);
            return true;
        }

        taken = default;
        return false;
    }
}
