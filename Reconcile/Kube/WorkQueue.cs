using System.Diagnostics.CodeAnalysis;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The work queue as threads see it. Adding never blocks; taking waits without polling, with one timer for all delayed keys.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private static readonly Backoff RetryBackoff = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(60));

    private readonly Lock _gate = new();
    private readonly WorkQueueCore<TKey> _core = new();
    private readonly SemaphoreSlim _ready = new(0);
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly ITimer _timer;
    private DateTimeOffset? _timerDue;

    public WorkQueue(TimeProvider clock, Random random)
    {
        (_clock, _random) = (clock, random);
        _timer = clock.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that wait for a hand.</summary>
    public int Depth
    {
        get
        {
            lock (_gate) return _core.Ready;
        }
    }

    public void Add(TKey key) => Change(core => core.Add(key));

    public void AddAfter(TKey key, TimeSpan delay) => Change(core => core.AddAt(key, _clock.GetUtcNow() + delay));

    public async Task<TKey> Take(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _ready.WaitAsync(cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                if (_core.TryTake(out var key)) return key!;
            }
        }
    }

    /// <summary>Gives a key back and maps the outcome of its work to what comes next.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "jitter needs no secrecy")]
    public void Finish(TKey key, Outcome outcome) => Change(core =>
    {
        core.Finish(key);
        switch (outcome.Kind)
        {
            case OutcomeKind.Retry:
                var delay = RetryBackoff.Delay(core.CountFailure(key), _random.NextDouble());
                core.AddAt(key, _clock.GetUtcNow() + (outcome.After > delay ? outcome.After : delay));
                break;
            case OutcomeKind.RequeueAfter:
                core.Forget(key);
                core.AddAt(key, _clock.GetUtcNow() + outcome.After);
                break;
            default:
                core.Forget(key);
                break;
        }
    });

    public void Dispose()
    {
        _timer.Dispose();
        _ready.Dispose();
    }

    private void OnTimer() => Change(core =>
    {
        _timerDue = null;
        core.Tick(_clock.GetUtcNow());
    });

    /// <summary>Every change ends here: one permit per key that became ready, and the timer set to the earliest due key.</summary>
    private void Change(Action<WorkQueueCore<TKey>> change)
    {
        lock (_gate)
        {
            var before = _core.Ready;
            change(_core);
            if (_core.Ready > before) _ready.Release(_core.Ready - before);
            if (_core.NextDue is not { } due || due == _timerDue) return;
            _timerDue = due;
            var delay = due - _clock.GetUtcNow();
            _timer.Change(delay > TimeSpan.Zero ? delay : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
