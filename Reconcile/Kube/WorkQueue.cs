using System.Diagnostics.CodeAnalysis;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The work queue as threads see it: informers' handlers add keys, the <see cref="ControllerLoop{TKey}"/> takes them. Adding never
/// blocks; taking waits without polling; one timer serves all delayed keys. Delays follow the monotonic clock, so that a step of
/// the wall clock neither hurries nor stops them.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private static readonly Backoff RetryBackoff = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(60));
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly WorkQueueCore<TKey> _core = new();
    private readonly SemaphoreSlim _ready = new(0);

    /// <summary>Since when each ready key waits: keys become ready and are taken in the same order.</summary>
    private readonly Queue<TimeSpan> _readySince = new();
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly long _start;
    private readonly ITimer _timer;
    private TimeSpan? _timerDue;

    public WorkQueue(TimeProvider clock, Random random)
    {
        (_clock, _random, _start) = (clock, random, clock.GetTimestamp());
        _timer = clock.CreateTimer(static queue => ((WorkQueue<TKey>)queue!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that wait for a worker.</summary>
    public int Depth
    {
        get
        {
            lock (_gate) return _core.Ready;
        }
    }

    private TimeSpan Now => _clock.GetElapsedTime(_start);

    public void Add(TKey key)
    {
        lock (_gate)
        {
            var before = _core.Ready;
            _core.Add(key);
            Publish(before);
        }
    }

    public void AddAfter(TKey key, TimeSpan delay)
    {
        lock (_gate)
        {
            var before = _core.Ready;
            AddAfterLocked(key, delay);
            Publish(before);
        }
    }

    /// <summary>How long the key waited that was taken last.</summary>
    public TimeSpan LastWait { get; private set; }

    /// <summary>Waits for a key. It must be given back with <see cref="Finish"/>, whatever became of it.</summary>
    public async ValueTask<TKey> Take(CancellationToken cancellationToken)
    {
        await _ready.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            // Invariant: one permit of the semaphore, and one moment, for each ready key.
            if (!_core.TryTake(out var key)) throw new InvalidOperationException("a permit without a key");
            LastWait = Now - _readySince.Dequeue();
            return key;
        }
    }

    /// <summary>Gives a key back and turns the outcome of its work into what comes next.</summary>
    public void Finish(TKey key, Outcome outcome)
    {
        lock (_gate)
        {
            var before = _core.Ready;
            _core.Finish(key);
            switch (outcome.Kind)
            {
                case OutcomeKind.Retry:
                    var backoff = RetryDelay(_core.CountFailure(key));
                    AddAfterLocked(key, outcome.After > backoff ? outcome.After : backoff);
                    break;
                case OutcomeKind.RequeueAfter:
                    _core.Forget(key);
                    AddAfterLocked(key, outcome.After);
                    break;
                default:
                    _core.Forget(key);
                    break;
            }

            Publish(before);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _ready.Dispose();
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            var before = _core.Ready;
            _timerDue = null;
            _core.Tick(Now);
            Publish(before);
        }
    }

    [SuppressMessage("Security", "CA5394", Justification = "jitter needs no secrecy")]
    private TimeSpan RetryDelay(int failures) => RetryBackoff.Delay(failures, _random.NextDouble());

    private void AddAfterLocked(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero) _core.Add(key);
        else _core.AddAt(key, Now + delay);
    }

    /// <summary>Every change ends here: a permit for each key that became ready, and the timer set to the earliest delay.</summary>
    private void Publish(int readyBefore)
    {
        for (var added = readyBefore; added < _core.Ready; added++) _readySince.Enqueue(Now);
        if (_core.Ready > readyBefore) _ready.Release(_core.Ready - readyBefore);
        if (_core.NextDue is not { } due || due == _timerDue) return;
        _timerDue = due;
        // Rounded up: a timer that fires a fraction too early would only be set again. A long wait is cut into days.
        var delay = Math.Clamp(Math.Ceiling((due - Now).TotalMilliseconds), 0, LongestTimer.TotalMilliseconds);
        _timer.Change(TimeSpan.FromMilliseconds(delay), Timeout.InfiniteTimeSpan);
    }
}
