using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// A watch that ends by itself when the server fails to end it in time: without this, a connection that died unnoticed would leave
/// its reader waiting for ever. One reader at a time.
/// </summary>
public sealed class TimedWatch<T> : IAsyncDisposable
    where T : class, IKubeObject
{
    private readonly IWatchStream<T> _stream;
    private readonly CancellationToken _cancelled;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenRegistration _stopping;

    /// <param name="cancellationToken">Of all that is read from it: registered once, as an event comes up to a thousand times a second.</param>
    public TimedWatch(IWatchStream<T> stream, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        (_stream, _cancelled, _stop) = (stream, cancellationToken, new CancellationTokenSource(limit, clock));
        _stopping = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stop);
    }

    /// <returns>Null when the watch has ended or is overdue.</returns>
    public async ValueTask<WatchEvent<T>?> Next()
    {
        try
        {
            return await _stream.Next(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_cancelled.IsCancellationRequested)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.DisposeAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
