using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Two electors before one lease: who works when, and how fast the work changes hands.</summary>
[SuppressMessage("Design", "CA1001", Justification = "the tokens end with the test")]
public class LeaderElectorTests
{
    private readonly FakeClock _clock = new();
    private readonly LeaseServer _server = new();

    [Fact]
    public async Task One_leads_and_a_graceful_stop_hands_over_within_a_second()
    {
        var (one, two) = (new Member(this, "one"), new Member(this, "two"));
        one.Start();
        await _clock.AdvanceUntil(() => one.IsWorking, TimeSpan.FromSeconds(5));
        two.Start();
        await _clock.AdvanceUntil(() => false, TimeSpan.FromSeconds(60));
        Assert.Equal((true, false), (one.IsWorking, two.IsWorking));

        one.Stop.Cancel();
        await FakeClock.Until(() => one.Running.IsCompleted);
        var stopped = _clock.GetUtcNow();
        await _clock.AdvanceUntil(() => two.IsWorking, TimeSpan.FromSeconds(5));
        Assert.True(two.IsWorking);
        Assert.True(_clock.GetUtcNow() - stopped < TimeSpan.FromSeconds(1));
        await two.End();
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_stops_its_work_before_another_may_start()
    {
        var one = new Member(this, "one");
        one.Start();
        await _clock.AdvanceUntil(() => one.IsWorking, TimeSpan.FromSeconds(5));
        _server.IsDown = true;
        var down = _clock.GetUtcNow();
        await _clock.AdvanceUntil(() => one.Running.IsCompleted, TimeSpan.FromMinutes(1));
        Assert.False(one.IsWorking);
        Assert.False(one.Elector.IsLeader);
        Assert.InRange(_clock.GetUtcNow() - down, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task A_short_outage_costs_nothing()
    {
        var one = new Member(this, "one");
        one.Start();
        await _clock.AdvanceUntil(() => one.IsWorking, TimeSpan.FromSeconds(5));
        _server.IsDown = true;
        await _clock.AdvanceUntil(() => false, TimeSpan.FromSeconds(6));
        _server.IsDown = false;
        await _clock.AdvanceUntil(() => false, TimeSpan.FromMinutes(2));
        Assert.True(one.IsWorking);
        await one.End();
    }

    [Fact]
    public async Task A_crashed_leader_is_replaced_after_its_lease()
    {
        _server.Lease = new Lease
        {
            Metadata = new ObjectMeta { Name = "lease", Namespace = "system", ResourceVersion = "1" },
            Spec = new LeaseSpec { HolderIdentity = "crashed", LeaseDurationSeconds = 15, LeaseTransitions = 4 },
        };
        var (one, start) = (new Member(this, "one"), _clock.GetUtcNow());
        one.Start();
        await _clock.AdvanceUntil(() => one.IsWorking, TimeSpan.FromMinutes(1));
        Assert.InRange(_clock.GetUtcNow() - start, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(17));
        Assert.Equal(5, _server.Lease!.Spec.LeaseTransitions);
        await one.End();
    }

    [Fact]
    public async Task Work_that_ends_by_itself_releases_the_lease_and_its_fault_comes_through()
    {
        var elector = Elector("one");
        var running = elector.Run(_ => throw new InvalidOperationException("broken"), CancellationToken.None);
        await FakeClock.Until(() => running.IsCompleted);
        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => running)).Message);
        Assert.Equal("", _server.Lease!.Spec.HolderIdentity);
    }

    [Fact]
    public async Task The_lease_is_kept_while_cancelled_work_winds_down()
    {
        var (isDone, started) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var stop = new CancellationTokenSource();
        var running = Elector("one").Run(
            async _ =>
            {
                started.SetResult();
                await isDone.Task;
            }, stop.Token);
        await started.Task;
        await stop.CancelAsync();
        await _clock.AdvanceUntil(() => false, TimeSpan.FromSeconds(40));
        Assert.Equal("one", _server.Lease!.Spec.HolderIdentity);
        Assert.False(running.IsCompleted);
        isDone.SetResult();
        await FakeClock.Until(() => running.IsCompleted);
        Assert.Equal("", _server.Lease!.Spec.HolderIdentity);
    }

    [Fact]
    public async Task Time_that_passed_unnoticed_ends_the_lead_at_once()
    {
        using var stop = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var elector = Elector("one");
        var running = elector.Run(
            async cancelled =>
            {
                started.SetResult();
                await Task.Delay(TimeSpan.FromHours(1), _clock, cancelled);
            }, stop.Token);
        await started.Task;
        Assert.True(elector.IsLeader);
        _clock.Skip(TimeSpan.FromMinutes(1)); // a process that stood still: no timer has fired yet
        Assert.False(elector.IsLeader);
        await stop.CancelAsync();
        await _clock.AdvanceUntil(() => running.IsCompleted, TimeSpan.FromMinutes(1));
        await running;
    }

    private LeaderElector Elector(string identity) =>
        new(_server, new LeaderElectionOptions("system", "lease", identity), _clock, new Random(1), NullLogger<LeaderElector>.Instance);

    private sealed class Member(LeaderElectorTests tests, string identity)
    {
        private int _working;

        public CancellationTokenSource Stop { get; } = new();

        public LeaderElector Elector { get; } = tests.Elector(identity);

        public Task Running { get; private set; } = Task.CompletedTask;

        public bool IsWorking => Volatile.Read(ref _working) == 1;

        public void Start() => Running = Elector.Run(Work, Stop.Token);

        public async Task End()
        {
            await Stop.CancelAsync();
            await Running;
        }

        private async Task Work(CancellationToken cancellationToken)
        {
            Volatile.Write(ref _working, 1);
            var stopped = new TaskCompletionSource();
            await using var registration = cancellationToken.Register(stopped.SetResult);
            await stopped.Task;
            Volatile.Write(ref _working, 0);
        }
    }

    private sealed class LeaseServer : StubClient
    {
        private long _version = 1;

        public Lease? Lease { get; set; }

        public bool IsDown { get; set; }

        public override Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken) =>
            Answer<T>(() => Lease is null ? new ApiResult<T>(null, ApiError.NotFound) : (T)(object)Lease);

        public override Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken) =>
            Answer<T>(() => Lease is null ? Store(value) : new ApiResult<T>(null, ApiError.AlreadyExists));

        public override Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken) =>
            Answer<T>(() => value.Metadata.ResourceVersion == Lease?.Metadata.ResourceVersion ? Store(value) : new ApiResult<T>(null, ApiError.Conflict));

        private Task<ApiResult<T>> Answer<T>(Func<ApiResult<T>> answer)
            where T : class
        {
            lock (this) return Task.FromResult(IsDown ? new ApiResult<T>(null, ApiError.Unavailable, "down") : answer());
        }

        private ApiResult<T> Store<T>(T value)
            where T : class, IKubeObject
        {
            var lease = (Lease)(object)value;
            Lease = lease with { Metadata = lease.Metadata with { ResourceVersion = $"{++_version}" } };
            return (T)(object)Lease;
        }
    }
}
