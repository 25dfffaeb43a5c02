using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Takes keys from a queue and reconciles them with a number of workers. The one place with a broad catch: a bug in a reconcile
/// is logged and the key tried again, the others go on.
/// </summary>
public sealed partial class ControllerLoop<TKey>(
    string name, WorkQueue<TKey> queue, Func<TKey, CancellationToken, Task<Outcome>> reconcile, TimeProvider clock, ILogger<ControllerLoop<TKey>> logger)
    where TKey : notnull
{
    /// <summary>Ends when cancelled and every worker has given its key back.</summary>
    public Task Run(int workers, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => Work(cancellationToken), CancellationToken.None)));

    private async Task Work(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var key = await queue.Take(cancellationToken).ConfigureAwait(false);
                queue.Finish(key, await Reconcile(key, cancellationToken).ConfigureAwait(false));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped(name);
        }
    }

    private async Task<Outcome> Reconcile(TKey key, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        Outcome outcome;
        try
        {
            outcome = await reconcile(key, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // one object's bug must not end the work on the others
        catch (Exception bug) when (bug is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogBug(name, key.ToString(), bug);
            outcome = Outcome.Retry(bug.Message);
        }

        ReconcileMetrics.Observe(name, clock.GetElapsedTime(started), outcome.Kind, queue.Depth);
        if (outcome.Kind == OutcomeKind.Drop) LogDropped(name, key.ToString(), outcome.Message);
        return outcome;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Loop}: {Key} met a bug, to be tried again")]
    private partial void LogBug(string loop, string? key, Exception bug);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Loop}: {Key} cannot be done: {Message}")]
    private partial void LogDropped(string loop, string? key, string message);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Loop}: a worker stopped")]
    private partial void LogStopped(string loop);
}
