namespace KruiseImage.Sim.Engine;

/// <summary>The time as one host sees it: a wall clock that may be wrong and may step, a monotonic clock, and timers that die with the host.</summary>
internal sealed class HostClock(Host host, Schedule schedule) : TimeProvider
{
    public static readonly DateTimeOffset Epoch = new(2026, 11, 25, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Epoch + schedule.Now + host.Skew;

    public override long GetTimestamp() => schedule.Now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HostTimer(host, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class HostTimer(Host host, TimerCallback callback, object? state) : ITimer
    {
        private Schedule.Entry? _next;
        private TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _next?.Cancel();
            _next = null;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan) _next = host.After(dueTime, Fire);
            return true;
        }

        public void Dispose()
        {
            _next?.Cancel();
            _next = null;
            _period = Timeout.InfiniteTimeSpan;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire()
        {
            _next = _period > TimeSpan.Zero ? host.After(_period, Fire) : null;
            callback(state);
        }
    }
}
