using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>
/// Random lives of three candidates on one lease: requests are slow, lost before or after they take effect, clocks run at
/// different rates and show different times, candidates crash. Two must never lead at once; left in peace, one must.
/// </summary>
public class LeaderLeaseTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    [Fact]
    public void Two_never_lead_at_once_and_in_peace_one_does() =>
        Gen.Int[0, 999].Array[200, 400].Sample(choices =>
        {
            var world = new LeaseWorld();
            foreach (var choice in choices)
            {
                world.Step(choice, isPeaceful: false);
                Assert.True(world.Leaders <= 1, "two lead");
            }

            for (var i = 0; i < 120; i++)
            {
                world.Step(0, isPeaceful: true);
                Assert.True(world.Leaders <= 1, "two lead");
            }

            Assert.Equal(1, world.Leaders);
        }, iter: 500);

    [Fact]
    public void A_released_lease_is_taken_at_once()
    {
        var (mine, next) = (new LeaderLease(Options("a")), new LeaderLease(Options("b")));
        mine.Observe(null, TimeSpan.Zero);
        mine.Written(mine.Decide(TimeSpan.Zero, DateTimeOffset.UnixEpoch).Write!, TimeSpan.Zero);
        next.Observe(mine.Release(DateTimeOffset.UnixEpoch), TimeSpan.Zero);
        Assert.Equal(LeaseMove.Take, next.Decide(TimeSpan.Zero, DateTimeOffset.UnixEpoch).Move);
        Assert.Equal(1, next.Decide(TimeSpan.Zero, DateTimeOffset.UnixEpoch).Write!.Spec.LeaseTransitions);
    }

    [Fact]
    public void Another_lease_is_judged_by_when_we_saw_it_change_not_by_its_time()
    {
        var lease = new LeaderLease(Options("b"));
        var ancient = new Lease { Spec = new LeaseSpec { HolderIdentity = "a", LeaseDurationSeconds = 15, RenewTime = DateTimeOffset.UnixEpoch } };
        lease.Observe(ancient, Seconds(100));
        Assert.Equal(LeaseMove.Wait, lease.Decide(Seconds(114.9), DateTimeOffset.UnixEpoch.AddYears(50)).Move);
        Assert.Equal(LeaseMove.Take, lease.Decide(Seconds(115), DateTimeOffset.UnixEpoch).Move);
        lease.Observe(ancient with { Spec = ancient.Spec with { RenewTime = DateTimeOffset.UnixEpoch.AddTicks(10) } }, Seconds(114));
        Assert.Equal(LeaseMove.Wait, lease.Decide(Seconds(128), DateTimeOffset.UnixEpoch).Move);
    }

    [Fact]
    public void A_holder_with_a_longer_duration_is_waited_for()
    {
        var lease = new LeaderLease(Options("b"));
        lease.Observe(new Lease { Spec = new LeaseSpec { HolderIdentity = "a", LeaseDurationSeconds = 60 } }, TimeSpan.Zero);
        Assert.Equal(LeaseMove.Wait, lease.Decide(Seconds(59), DateTimeOffset.UnixEpoch).Move);
        Assert.Equal(LeaseMove.Take, lease.Decide(Seconds(60), DateTimeOffset.UnixEpoch).Move);
    }

    private static LeaderElectionOptions Options(string identity) => new("system", "lease", identity);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private sealed class LeaseWorld
    {
        private readonly Candidate[] _candidates = [new("a", 1.0, 0), new("b", 1.1, 3600), new("c", 0.9, -3600)];
        private Lease? _stored;
        private long _version;
        private TimeSpan _now;

        public int Leaders => _candidates.Count(candidate => candidate.Lease.IsLeading(candidate.Now(_now)));

        public void Step(int choice, bool isPeaceful)
        {
            _now += Tick;
            var candidate = isPeaceful ? _candidates[(int)(_now / Tick) % 3] : _candidates[choice % 3];
            var fault = isPeaceful ? 0 : choice / 3 % 10;
            if (fault == 9) candidate.Crash();
            else if (candidate.Pending is null) candidate.Send(_now);
            else Answer(candidate, fault);
        }

        /// <summary>The request takes effect now, not when it was sent; its answer may be lost, and so may be the request.</summary>
        private void Answer(Candidate candidate, int fault)
        {
            var (decision, sentAt) = candidate.Pending!.Value;
            candidate.Pending = null;
            if (fault == 8 || candidate.Now(_now) - sentAt > Seconds(3.3))
            {
                // Given up by the sender; half of these still reach the server.
                if (fault % 2 == 0) Write(decision.Write);
                candidate.Lease.Doubt();
            }
            else if (decision.Move == LeaseMove.Look)
            {
                candidate.Lease.Observe(_stored, candidate.Now(_now));
            }
            else if (Write(decision.Write) is { } written)
            {
                if (fault == 7) candidate.Lease.Doubt();
                else candidate.Lease.Written(written, sentAt);
            }
            else
            {
                candidate.Lease.Doubt();
            }
        }

        private Lease? Write(Lease? lease)
        {
            if (lease is null || lease.Metadata.ResourceVersion != _stored?.Metadata.ResourceVersion) return null;
            return _stored = lease with { Metadata = lease.Metadata with { ResourceVersion = $"{++_version}" } };
        }
    }

    private sealed class Candidate(string identity, double rate, int offsetSeconds)
    {
        public LeaderLease Lease { get; private set; } = new(Options(identity));

        public (LeaseDecision Decision, TimeSpan SentAt)? Pending { get; set; }

        public TimeSpan Now(TimeSpan world) => world * rate;

        public void Crash() => (Lease, Pending) = (new LeaderLease(Options(identity)), null);

        public void Send(TimeSpan world)
        {
            var decision = Lease.Decide(Now(world), DateTimeOffset.UnixEpoch + world + TimeSpan.FromSeconds(offsetSeconds));
            if (decision.Move == LeaseMove.Wait) Lease.Doubt();
            else Pending = (decision, Now(world));
        }
    }
}
