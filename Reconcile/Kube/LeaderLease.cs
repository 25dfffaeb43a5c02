using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

public enum LeaseMove
{
    /// <summary>Read the lease and tell what is there.</summary>
    Look,
    /// <summary>Create <see cref="LeaseDecision.Write"/>; there is none.</summary>
    Create,
    /// <summary>Update to <see cref="LeaseDecision.Write"/>: it was released, or its holder went silent.</summary>
    Take,
    /// <summary>Update to <see cref="LeaseDecision.Write"/>: it is ours.</summary>
    Renew,
    /// <summary>Another leads.</summary>
    Wait,
}

/// <param name="Write">Carries the resourceVersion it replaces, so that of two writers one meets a conflict.</param>
public readonly record struct LeaseDecision(LeaseMove Move, Lease? Write = null);

/// <summary>
/// The rules of leadership, without network or clock: what to do next, and whether we lead. Another's renewals are judged by when
/// we saw them change, never by the other's clock; our own by when we sent them. `now` is any monotonic clock. Used by the
/// <see cref="LeaderElector"/> only.
/// <para>
/// Invariant: two never lead at once. A leader leads until RenewDeadline after it sent its last successful write; another takes
/// over no sooner than LeaseDuration after it saw that write, which is later.
/// </para>
/// </summary>
public sealed class LeaderLease(LeaderElectionOptions options)
{
    private Lease? _seen;
    private TimeSpan _seenAt;
    private bool _isCurrent;
    private TimeSpan? _renewedAt;

    /// <summary>"" when nobody leads.</summary>
    public string Holder => _seen?.Spec.HolderIdentity ?? "";

    /// <summary>Until when our last renewal lets us lead; null when we do not.</summary>
    public TimeSpan? LeadsUntil => _renewedAt + options.RenewDeadline;

    public bool IsLeading(TimeSpan now) => now < LeadsUntil;

    public LeaseDecision Decide(TimeSpan now, DateTimeOffset wallClock)
    {
        if (!_isCurrent) return new LeaseDecision(LeaseMove.Look);
        if (_seen is null) return new LeaseDecision(LeaseMove.Create, First(wallClock));
        if (Holder == options.Identity) return new LeaseDecision(LeaseMove.Renew, Renewed(_seen, wallClock));
        return Holder.Length == 0 || now - _seenAt >= DurationOf(_seen.Spec) ? new LeaseDecision(LeaseMove.Take, Taken(_seen, wallClock)) : new LeaseDecision(LeaseMove.Wait);
    }

    /// <summary>What a look has shown. Null: there is no lease.</summary>
    /// <param name="now">After the answer came: the later, the safer.</param>
    public void Observe(Lease? lease, TimeSpan now)
    {
        if (lease?.Spec != _seen?.Spec) _seenAt = now;
        (_seen, _isCurrent) = (lease, true);
        if (Holder != options.Identity) _renewedAt = null;
    }

    /// <summary>Our write succeeded.</summary>
    /// <param name="sentAt">Before it was sent: the earlier, the safer.</param>
    public void Written(Lease answer, TimeSpan sentAt)
    {
        (_seen, _isCurrent, _seenAt) = (answer, true, sentAt);
        _renewedAt = Holder == options.Identity ? sentAt : null;
    }

    /// <summary>A write failed or its answer was lost, or time has passed: look again before deciding.</summary>
    public void Doubt() => _isCurrent = false;

    /// <summary>The write that lets the next one lead at once; null when the lease is not ours.</summary>
    public Lease? Release(DateTimeOffset wallClock) => _seen is not null && Holder == options.Identity
        ? _seen with { Spec = _seen.Spec with { HolderIdentity = "", LeaseDurationSeconds = 1, RenewTime = wallClock } }
        : null;

    private Lease First(DateTimeOffset wallClock) => new()
    {
        ApiVersion = "coordination.k8s.io/v1",
        Kind = nameof(Lease),
        Metadata = new ObjectMeta { Namespace = options.Namespace, Name = options.Name },
        Spec = Ours(wallClock, transitions: 0),
    };

    private Lease Taken(Lease lease, DateTimeOffset wallClock) => lease with { Spec = Ours(wallClock, (lease.Spec.LeaseTransitions ?? 0) + 1) };

    private Lease Renewed(Lease lease, DateTimeOffset wallClock) =>
        lease with { Spec = lease.Spec with { RenewTime = wallClock, LeaseDurationSeconds = Seconds(options.LeaseDuration) } };

    private LeaseSpec Ours(DateTimeOffset wallClock, int transitions) => new()
    {
        HolderIdentity = options.Identity,
        LeaseDurationSeconds = Seconds(options.LeaseDuration),
        AcquireTime = wallClock,
        RenewTime = wallClock,
        LeaseTransitions = transitions,
    };

    /// <summary>A holder may have been configured to a longer duration than we are; it counts on that one.</summary>
    private TimeSpan DurationOf(LeaseSpec lease) =>
        lease.LeaseDurationSeconds is { } seconds && TimeSpan.FromSeconds(seconds) > options.LeaseDuration ? TimeSpan.FromSeconds(seconds) : options.LeaseDuration;

    private static int Seconds(TimeSpan duration) => (int)Math.Ceiling(duration.TotalSeconds);
}
