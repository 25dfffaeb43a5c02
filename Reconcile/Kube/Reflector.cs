using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Keeps a store like the API server's objects for ever: performs what the <see cref="WatchMachine{T}"/> asks, waits with backoff
/// after errors. It decides nothing about objects. One per kind and query; Run is called once.
/// </summary>
public sealed partial class Reflector<T>(
    IKubeClient client, Resource<T> resource, ListQuery query, Store<T> store, TimeProvider clock, Random random, ILogger<Reflector<T>> logger)
    where T : class, IKubeObject
{
    private const int PageSize = 500;
    private static readonly Backoff RetryBackoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));

    public async Task Run(CancellationToken cancellationToken)
    {
        var machine = new WatchMachine<T>(query, PageSize);
        IWatchStream<T>? watch = null;
        var failures = 0;
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                string? failure = null;
                switch (machine.Next)
                {
                    case WatchRequest.List:
                        failure = await List(machine, cancellationToken).ConfigureAwait(false);
                        break;
                    case WatchRequest.OpenWatch:
                        (watch, failure) = await Open(machine, watch, cancellationToken).ConfigureAwait(false);
                        break;
                    case WatchRequest.ReadWatch:
                        if (await Read(machine, watch!, cancellationToken).ConfigureAwait(false)) failures = 0;
                        continue;
                }

                failures = failure is null ? failures : failures + 1;
                if (failure is null) continue;
                LogFailed(resource.Plural, failure);
                await Task.Delay(RetryBackoff.Delay(failures, random.NextDouble()), clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped(resource.Plural);
        }
        finally
        {
            if (watch is not null) await watch.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<string?> List(WatchMachine<T> machine, CancellationToken cancellationToken)
    {
        var page = await client.List(resource, machine.Query, cancellationToken).ConfigureAwait(false);
        foreach (var change in machine.OnPage(page)) store.Apply(change);
        return page.IsOk ? null : page.Message;
    }

    private async Task<(IWatchStream<T>? Watch, string? Failure)> Open(WatchMachine<T> machine, IWatchStream<T>? former, CancellationToken cancellationToken)
    {
        store.LiveSince = null;
        if (former is not null) await former.DisposeAsync().ConfigureAwait(false);
        var opened = await client.Watch(resource, machine.Query, cancellationToken).ConfigureAwait(false);
        machine.OnOpened(opened.Error);
        if (!opened.IsOk) return (null, opened.Message);
        store.LiveSince = clock.GetUtcNow();
        return (opened.Value, null);
    }

    /// <returns>Whether the server sent something: then an error before it is forgotten.</returns>
    private async Task<bool> Read(WatchMachine<T> machine, IWatchStream<T> watch, CancellationToken cancellationToken)
    {
        var change = await watch.Next(cancellationToken).ConfigureAwait(false);
        if (machine.OnEvent(change) is { } known) store.Apply(known);
        if (change is null) LogClosed(resource.Plural);
        return change is not null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot follow {Plural}, trying again: {Failure}")]
    private partial void LogFailed(string plural, string failure);

    [LoggerMessage(Level = LogLevel.Debug, Message = "the watch of {Plural} ended, opening it again")]
    private partial void LogClosed(string plural);

    [LoggerMessage(Level = LogLevel.Debug, Message = "no longer following {Plural}")]
    private partial void LogStopped(string plural);
}
