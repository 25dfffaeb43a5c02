using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>What each outcome of a reconcile leads to, and what a bug and a cancellation do to the workers.</summary>
public sealed class ControllerLoopTests : IAsyncDisposable
{
    private readonly FakeClock _clock = new();
    private readonly WorkQueue<string> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _seen = [];
    private Func<string, Outcome> _reconcile = _ => Outcome.Done;
    private Task _running = Task.CompletedTask;

    public ControllerLoopTests() => _queue = new WorkQueue<string>(_clock, new Random(1));

    [Fact]
    public async Task Done_is_not_repeated()
    {
        Start(1);
        _queue.Add("a");
        await Seen(1);
        _clock.Advance(TimeSpan.FromDays(1));
        await FakeClock.Settle();
        Assert.Equal(["a"], Snapshot());
    }

    [Fact]
    public async Task Requeue_after_comes_at_its_time_and_not_before()
    {
        _reconcile = _ => Snapshot().Count == 1 ? Outcome.RequeueAfter(TimeSpan.FromSeconds(30)) : Outcome.Done;
        Start(1);
        _queue.Add("a");
        await Seen(1);
        await FakeClock.Until(() => _clock.Timers > 0); // the worker has given the key back
        _clock.Advance(TimeSpan.FromSeconds(29.9));
        await FakeClock.Settle();
        Assert.Single(Snapshot());
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        await Seen(2);
    }

    [Fact]
    public async Task A_key_waits_from_when_it_is_ready_until_it_is_taken()
    {
        _queue.Add("first");
        _queue.AddAfter("later", TimeSpan.FromSeconds(10));
        _clock.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal("first", await _queue.Take(_stop.Token));
        Assert.Equal(TimeSpan.FromSeconds(12), _queue.LastWait);
        Assert.Equal("later", await _queue.Take(_stop.Token));
        Assert.InRange(_queue.LastWait, TimeSpan.FromSeconds(0), TimeSpan.FromSeconds(2)); // not the ten that it should wait
    }

    [Fact]
    public async Task An_event_does_not_wait_for_a_requeue()
    {
        _reconcile = _ => Snapshot().Count == 1 ? Outcome.RequeueAfter(TimeSpan.FromHours(1)) : Outcome.Done;
        Start(1);
        _queue.Add("a");
        await Seen(1);
        _queue.Add("a");
        await Seen(2);
    }

    [Fact]
    public async Task A_retry_comes_later_each_time_and_at_least_when_the_server_said()
    {
        var times = new List<TimeSpan>();
        _reconcile = _ =>
        {
            lock (times) times.Add(TimeSpan.FromTicks(_clock.GetTimestamp()));
            return times.Count switch
            {
                <= 6 => Outcome.Retry("busy"),
                7 => Outcome.Retry("slow down", TimeSpan.FromSeconds(40)),
                _ => Outcome.Done,
            };
        };
        Start(1);
        _queue.Add("a");
        await _clock.AdvanceUntil(() => Snapshot().Count == 8, TimeSpan.FromMinutes(2));
        Assert.Equal(8, times.Count);
        Assert.True(times[6] - times[5] >= TimeSpan.FromMilliseconds(160), $"the sixth retry came after {times[6] - times[5]}");
        Assert.True(times[7] - times[6] >= TimeSpan.FromSeconds(40), $"the server's wish was {times[7] - times[6]}");
    }

    [Fact]
    public async Task Dropped_is_not_repeated()
    {
        _reconcile = _ => Outcome.Drop("invalid");
        Start(1);
        _queue.Add("a");
        await Seen(1);
        _clock.Advance(TimeSpan.FromDays(1));
        await FakeClock.Settle();
        Assert.Single(Snapshot());
    }

    [Fact]
    public async Task A_bug_costs_its_key_a_retry_and_others_nothing()
    {
        _reconcile = key => key == "bug" && Snapshot().Count(seen => seen == "bug") < 3 ? throw new InvalidOperationException("bug") : Outcome.Done;
        Start(1);
        _queue.Add("bug");
        _queue.Add("fine");
        await _clock.AdvanceUntil(() => Snapshot().Count == 4, TimeSpan.FromMinutes(1));
        Assert.Equal(["bug", "fine", "bug", "bug"], Snapshot());
        Assert.False(_running.IsCompleted);
    }

    [Fact]
    public async Task A_cancellation_that_is_not_ours_is_a_bug_like_others()
    {
        _reconcile = _ => Snapshot().Count == 1 ? throw new OperationCanceledException("somebody's timeout") : Outcome.Done;
        Start(1);
        _queue.Add("a");
        await _clock.AdvanceUntil(() => Snapshot().Count == 2, TimeSpan.FromMinutes(1));
        Assert.Equal(2, Snapshot().Count);
    }

    [Fact]
    public async Task No_key_is_with_two_workers()
    {
        var inside = new int[4];
        var overlap = false;
        _reconcile = key =>
        {
            var index = int.Parse(key, System.Globalization.CultureInfo.InvariantCulture);
            overlap |= Interlocked.Increment(ref inside[index]) > 1;
            Thread.SpinWait(500);
            Interlocked.Decrement(ref inside[index]);
            return Outcome.Done;
        };
        Start(4);
        Parallel.For(0, 4_000, i => _queue.Add($"{i % inside.Length}"));
        await FakeClock.Until(() => _queue.Depth == 0);
        Assert.False(overlap);
    }

    [Fact]
    public async Task A_step_of_the_wall_clock_moves_no_delay()
    {
        Start(1);
        _queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _clock.WallClockStep = TimeSpan.FromHours(-1);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await Seen(1);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _queue.Dispose();
        _stop.Dispose();
    }

    private void Start(int workers)
    {
        var loop = new ControllerLoop<string>("test", _queue, Reconcile, _clock, NullLogger<ControllerLoop<string>>.Instance);
        _running = loop.Run(workers, _stop.Token);
    }

    private Task<Outcome> Reconcile(string key, CancellationToken cancellationToken)
    {
        lock (_seen) _seen.Add(key);
        return Task.FromResult(_reconcile(key));
    }

    private List<string> Snapshot()
    {
        lock (_seen) return [.. _seen];
    }

    private async Task Seen(int count)
    {
        await FakeClock.Until(() => Snapshot().Count >= count);
        Assert.Equal(count, Snapshot().Count);
    }
}
