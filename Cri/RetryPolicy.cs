using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Cri;

/// <summary>
/// When a failed attempt is repeated (contract 5.3). Pure: the jitter is a hash of what is retried and the node's seed, so that a
/// thousand nodes do not come back to the registry together, and a simulation can be replayed.
/// </summary>
internal sealed class RetryPolicy(PullLimits limits)
{
    /// <summary>A corrupt partial download is discarded by each attempt: a few at once get past it.</summary>
    private const int AttemptsAtOnce = 3;

    // The shared backoff takes between half and all of a step: from 1 s on means a first step of 2 s.
    private readonly Backoff _backoff = new(limits.BackoffFirst * 2, limits.BackoffMost);

    public TimeSpan AfterFailure(PullState state, PullFailure failure)
    {
        if (failure.RetryAfter == TimeSpan.Zero && state.FailedAttempts <= AttemptsAtOnce) return TimeSpan.Zero;
        var jitter = Jitter(state, state.FailedAttempts);
        var delay = _backoff.Delay(state.FailedAttempts, jitter);
        // What the registry asks for is the least; all nodes that it told so must not come at that very moment.
        var asked = failure.RetryAfter.GetValueOrDefault() * (1 + 0.2 * jitter);
        return delay > asked ? delay : asked;
    }

    public TimeSpan AfterOutage(PullState state, int outages) => _backoff.Delay(outages, Jitter(state, outages));

    /// <summary>From 0 to 1. FNV-1a: the same in every process, unlike string.GetHashCode.</summary>
    private double Jitter(PullState state, int failures)
    {
        var hash = 2166136261u;
        foreach (var c in limits.JitterSeed + state.Entry.Reference) hash = (hash ^ c) * 16777619u;
        hash = (hash ^ (uint)failures) * 16777619u;
        return (hash >> 8) / (double)(1 << 24);
    }
}
