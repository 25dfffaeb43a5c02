using System.Buffers;
using System.Net.Sockets;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// An open watch: lines out of a stream, one event each. A line lies whole in one buffer, which is quicker to decode than one in pieces.
/// Memory is bounded by the longest line allowed; a longer one ends the watch. Opened by <see cref="KubeClient"/>; when it is overdue is
/// the business of <see cref="TimedWatch{T}"/>.
/// </summary>
/// <param name="response">Disposed of with the watch; that closes the connection.</param>
public sealed class WatchStream<T>(IDisposable response, Stream stream, Resource<T> resource) : IWatchStream<T>
    where T : class, IKubeObject
{
    /// <summary>An object is at most 1.5 MB in etcd; its JSON in an event somewhat more.</summary>
    private const int LongestLine = 8 << 20;

    private ILister<T>? _cache;
    private byte[] _buffer = new byte[16 << 10];

    /// <summary>What was read and not yet taken, in <see cref="_buffer"/>; the first <see cref="_searched"/> bytes of it hold no line end.</summary>
    private int _start, _end, _searched;

    public async ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTakeEvent(out var taken)) return taken;
            if (_end - _start > LongestLine) return null;
            MakeRoom();
            try
            {
                var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
                if (read == 0) return null;
                _end += read;
            }
            catch (Exception failure) when (failure is IOException or HttpRequestException or SocketException)
            {
                return null; // the connection broke: as normal as the server closing it
            }
        }
    }

    public void ShareWith(ILister<T> cache) => _cache = cache;

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync().ConfigureAwait(false);
        response.Dispose();
    }

    /// <summary>The first line that is not blank, taken off the front of what was read.</summary>
    private bool TryTakeEvent(out WatchEvent<T> taken)
    {
        while (_buffer.AsSpan((_start + _searched).._end).IndexOf((byte)'\n') is >= 0 and var found)
        {
            var line = _buffer.AsMemory(_start, _searched + found);
            (_start, _searched) = (_start + line.Length + 1, 0);
            if (line.Length <= 1) continue;
            taken = WatchDecoder.Decode(new ReadOnlySequence<byte>(line), resource, _cache);
            return true;
        }

        _searched = _end - _start;
        taken = default;
        return false;
    }

    /// <summary>Behind what was read, which goes to the front of the buffer where that suffices, else of one twice as large.</summary>
    private void MakeRoom()
    {
        if (_start == 0 && _end < _buffer.Length) return; // a long line stays where it is until the buffer is full
        var unread = _buffer.AsSpan(_start.._end);
        var buffer = unread.Length > _buffer.Length / 2 ? new byte[2 * _buffer.Length] : _buffer;
        unread.CopyTo(buffer);
        (_buffer, _start, _end) = (buffer, 0, unread.Length);
    }
}
