using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Takes keys from a queue and reconciles them with a number of workers; the queue sees to it that no key is with two of them.
/// Holds the one broad catch of the controller and of the daemon: a bug met on one object is logged and that key tried again,
/// the others go on. What an outcome means is the queue's business (<see cref="WorkQueue{TKey}.Finish"/>).
/// </summary>
public sealed partial class ControllerLoop<TKey>(
    string name, WorkQueue<TKey> queue, Func<TKey, CancellationToken, Task<Outcome>> reconcile, TimeProvider clock, ILogger<ControllerLoop<TKey>> logger)
    where TKey : notnull
{
    /// <summary>Ends when cancelled, after every reconcile under way has ended. Never faults.</summary>
    public Task Run(int workers, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => Work(cancellationToken), CancellationToken.None)));

    private async Task Work(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var key = await queue.Take(cancellationToken).ConfigureAwait(false);
                ReconcileMetrics.ObserveTaken(name, queue.Depth, queue.LastWait);
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
        var outcome = await ReconcileOrCatch(key, cancellationToken).ConfigureAwait(false);
        ReconcileMetrics.ObserveReconcile(name, clock.GetElapsedTime(started), outcome.Kind);
        if (outcome.Kind == OutcomeKind.Retry) LogRetry(name, key, outcome.Message);
        if (outcome.Kind == OutcomeKind.Drop) LogDropped(name, key, outcome.Message);
        return outcome;
    }

    private async Task<Outcome> ReconcileOrCatch(TKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await reconcile(key, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // one object's bug must not end the work on the others
        catch (Exception bug)
#pragma warning restore CA1031
        {
            LogBug(name, key, bug);
            return Outcome.Retry(bug.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Loop}: {Key} met a bug and is tried again")]
    private partial void LogBug(string loop, TKey key, Exception bug);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Loop}: {Key} is tried again: {Reason}")]
    private partial void LogRetry(string loop, TKey key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Loop}: {Key} cannot be done and is dropped: {Reason}")]
    private partial void LogDropped(string loop, TKey key, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Loop}: a worker stopped")]
    private partial void LogStopped(string loop);
}
