namespace KruiseImage.Cri;

/// <summary>
/// A lease of ours in containerd: while it lives, what a pull has fetched of one reference stays, though the pull was cancelled or its
/// runtime killed. The lease itself says whose it is and for what (<see cref="LeaseMark"/>), so that a daemon that was killed finds it
/// again without a state of its own. Pure; <see cref="ContentLeases"/> brings these to containerd, <see cref="LeaseLedger"/> decides
/// how long they live.
/// </summary>
/// <param name="ExpiresAt">When containerd drops it unasked. No attempt that uses it may still run then, or it loses its own blobs.</param>
public sealed record PullLease(string Id, string Reference, DateTimeOffset ExpiresAt)
{
    /// <summary>containerd's own; RFC 3339.</summary>
    public const string ExpiryLabel = "containerd.io/gc.expire";

    /// <summary>The one that outlives an attempt that begins now; null when a new one has to take over, for a lease cannot be prolonged.</summary>
    public static PullLease? Choose(IEnumerable<PullLease> found, TimeSpan timeout, DateTimeOffset now) =>
        found.Where(lease => lease.ExpiresAt >= now + timeout).MaxBy(lease => lease.ExpiresAt);
}
