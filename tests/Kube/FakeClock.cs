namespace KruiseImage.Tests.Kube;

/// <summary>Time that moves when a test says so. Timers that come due fire on the test's thread, in their order.</summary>
internal sealed class FakeClock : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<FakeTimer> _timers = [];
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Added to what the wall shows; timers and timestamps do not notice.</summary>
    public TimeSpan WallClockStep { get; set; }

    public int Timers
    {
        get
        {
            lock (_gate) return _timers.Count(timer => timer.Due is not null);
        }
    }

    public override DateTimeOffset GetUtcNow() => Start + _elapsed + WallClockStep;

    public override long GetTimestamp() => _elapsed.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        lock (_gate) _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        var end = _elapsed + by;
        while (NextDue(end) is { } timer)
        {
            if (timer.Due > _elapsed) _elapsed = timer.Due.Value;
            timer.Fire();
        }

        _elapsed = end;
    }

    /// <summary>Time passes and no timer fires, as after a process stood still; they fire with the next advance.</summary>
    public void Skip(TimeSpan by) => _elapsed += by;

    /// <summary>From timer to timer, each followed by the work it set off, until the predicate holds.</summary>
    public async Task AdvanceUntil(Func<bool> holds, TimeSpan most)
    {
        var end = _elapsed + most;
        await Settle(holds);
        while (!holds())
        {
            // On a loaded machine the work that arms the next timer may not even have begun.
            for (var i = 0; i < 1_000 && Timers == 0 && !holds(); i++) await Task.Delay(TimeSpan.FromMilliseconds(1), System);
            if (NextDue(end) is not { } timer) return;
            Advance(timer.Due!.Value - _elapsed);
            await Settle(holds);
        }
    }

    /// <summary>For what other threads are about to do. Real time, because a loaded machine takes its time.</summary>
    public static async Task Until(Func<bool> holds)
    {
        for (var i = 0; i < 10_000 && !holds(); i++) await Task.Delay(TimeSpan.FromMilliseconds(1), System);
        if (!holds()) throw new TimeoutException("it did not come to pass");
    }

    /// <summary>A moment for what other threads might do.</summary>
    public static async Task Settle(Func<bool>? until = null)
    {
        for (var i = 0; i < 10 && until?.Invoke() != true; i++) await Task.Delay(TimeSpan.FromMilliseconds(1), System);
    }

    private FakeTimer? NextDue(TimeSpan end)
    {
        lock (_gate) return _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
    }

    private sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan? Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate) Due = dueTime == Timeout.InfiniteTimeSpan ? null : clock._elapsed + dueTime;
            return true;
        }

        public void Fire()
        {
            lock (clock._gate) Due = null;
            callback(state);
        }

        public void Dispose()
        {
            lock (clock._gate) clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
