using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Keeps a store equal to what the API server has, for ever: asks for what the <see cref="WatchMachine"/> wants next, feeds the
/// answer in, applies the change, and waits after failures. It decides nothing about objects. One per kind and query, run once.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Run opens the watch and Run closes it")]
public sealed partial class Reflector<T>(
    IKubeClient client, Resource<T> resource, ListQuery query, Store<T> store, TimeProvider clock, Random random, ILogger<Reflector<T>> logger)
    where T : class, IKubeObject
{
    private const int PageSize = 500;

    /// <summary>From here on the tries are half a minute apart.</summary>
    private const int FailuresThatLast = 8;

    /// <summary>An API server that restarts is away for a second or two: the first tries come fast.</summary>
    private static readonly Backoff RetryBackoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));

    /// <summary>Asked of the server, so that watches move over its replicas; spread, so that they do not all end together.</summary>
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromMinutes(5);

    /// <summary>A server that has not ended the watch this long after its time is gone, whatever TCP thinks.</summary>
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);

    private readonly WatchGauges _metrics = ApiMetrics.Of(resource.Plural);
    private TimedWatch<T>? _watch;

    /// <summary>What the server asked for with its last refusal.</summary>
    private TimeSpan _retryAfter;

    /// <summary>Ends when cancelled, and only then.</summary>
    public async Task Run(CancellationToken cancellationToken)
    {
        var state = new WatchState(WatchPhase.Empty);
        var failures = 0;
        _metrics.Wanted.Inc();
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var step = await Advance(state, cancellationToken).ConfigureAwait(false);
                if (step.Change is { } change) store.Apply(change);
                if (step.State.Phase != WatchPhase.Watching) await CloseWatch().ConfigureAwait(false);
                // Success is a page or an event: a watch that opens and breaks at once must not reset the backoff.
                if (step.Change is { Kind: not StoreChangeKind.ListBegins } || step.State.HeardSomething) failures = Recovered(failures);
                if (step.Ignored is { Length: > 0 } ignored) LogIgnored(resource.Plural, ignored);
                state = step.State;
                if (step.Failure is null) continue;
                _metrics.Failures.Inc();
                Log(++failures, step.Failure);
                await Task.Delay(RetryDelay(failures), clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way out: the token is how we are told to stop.
        }
        finally
        {
            await CloseWatch().ConfigureAwait(false);
            _metrics.Wanted.Dec();
        }

        LogStopped(resource.Plural);
    }

    private async ValueTask<WatchStep<T>> Advance(WatchState state, CancellationToken cancellationToken)
    {
        switch (state.Phase)
        {
            case WatchPhase.Empty:
                return WatchMachine.Begin<T>();
            case WatchPhase.InitPage:
                var page = query with { Limit = PageSize, Continue = state.Continue };
                var listed = await client.List(resource, page, cancellationToken).ConfigureAwait(false);
                _retryAfter = listed.RetryAfter ?? TimeSpan.Zero;
                return WatchMachine.OnPage(state, listed);
            case WatchPhase.InitListed:
                return await OpenWatch(state, cancellationToken).ConfigureAwait(false);
            case WatchPhase.Watching:
                return WatchMachine.OnEvent(state, await _watch!.Next().ConfigureAwait(false));
            default:
                throw new ArgumentOutOfRangeException(nameof(state), state.Phase, null);
        }
    }

    private async Task<WatchStep<T>> OpenWatch(WatchState state, CancellationToken cancellationToken)
    {
        var duration = WatchDuration();
        var opened = await client.Watch(resource, query with { ResourceVersion = state.Version, Timeout = duration }, cancellationToken).ConfigureAwait(false);
        _retryAfter = opened.RetryAfter ?? TimeSpan.Zero;
        if (opened.IsOk)
        {
            opened.Value!.ShareWith(store);
            _watch = new TimedWatch<T>(opened.Value, duration + WatchGrace, clock, cancellationToken);
            store.LiveSince = clock.GetUtcNow();
            _metrics.Open.Inc();
        }

        return WatchMachine.OnOpened<T>(state, opened.Error, opened.Message);
    }

    private async ValueTask CloseWatch()
    {
        if (_watch is null) return;
        store.LiveSince = null;
        _metrics.Open.Dec();
        await _watch.DisposeAsync().ConfigureAwait(false);
        _watch = null;
    }

    [SuppressMessage("Security", "CA5394", Justification = "jitter needs no secrecy")]
    private TimeSpan RetryDelay(int failures)
    {
        var delay = RetryBackoff.Delay(failures, random.NextDouble());
        return delay > _retryAfter ? delay : _retryAfter;
    }

    [SuppressMessage("Security", "CA5394", Justification = "spreading needs no secrecy")]
    private TimeSpan WatchDuration() => TimeSpan.FromSeconds(Math.Floor(ShortestWatch.TotalSeconds * (1 + random.NextDouble())));

    /// <summary>The first failure is news, and so is one that lasts; those between are the fast tries.</summary>
    private void Log(int failures, string failure)
    {
        if (failures == 1 || failures >= FailuresThatLast) LogFailed(resource.Plural, failure);
        else LogFailedAgain(resource.Plural, failure);
    }

    private int Recovered(int failures)
    {
        if (failures > 1) LogRecovered(resource.Plural, failures);
        return 0;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot follow {Plural}, trying again: {Failure}")]
    private partial void LogFailed(string plural, string failure);

    [LoggerMessage(Level = LogLevel.Debug, Message = "still cannot follow {Plural}: {Failure}")]
    private partial void LogFailedAgain(string plural, string failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Plural}: {Ignored}")]
    private partial void LogIgnored(string plural, string ignored);

    [LoggerMessage(Level = LogLevel.Information, Message = "following {Plural} again after {Failures} failures")]
    private partial void LogRecovered(string plural, int failures);

    [LoggerMessage(Level = LogLevel.Debug, Message = "no longer following {Plural}")]
    private partial void LogStopped(string plural);
}
