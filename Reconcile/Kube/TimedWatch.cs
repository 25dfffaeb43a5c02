namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// A watch that ends by itself when the server fails to end it in time: without this, a connection that died unnoticed would leave
/// its reader waiting for ever. One reader at a time.
/// </summary>
public sealed class TimedWatch<T>(IWatchStream<T> stream, TimeSpan limit, TimeProvider clock) : IAsyncDisposable
    where T : class
{
    private readonly CancellationTokenSource _stop = new(limit, clock);

    /// <returns>Null when the watch has ended or is overdue.</returns>
    public async ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken)
    {
        var next = stream.Next(_stop.Token);
        // Most events are in the buffer already: those cost no registration.
        if (next.IsCompletedSuccessfully) return await next.ConfigureAwait(false);
        using var stop = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stop);
        try
        {
            return await next.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
