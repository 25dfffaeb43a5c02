namespace KruiseImage.Reconcile.Kube;

/// <summary>Which lease, who we are, and the times of client-go, whose order makes it safe: retry &lt; deadline &lt; duration.</summary>
/// <param name="Identity">Unique to the process: two that share it would both lead.</param>
public sealed record LeaderElectionOptions(string Namespace, string Name, string Identity)
{
    /// <summary>Others leave a lease alone for this long after they last saw it renewed.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A leader that could not renew for this long stops. Shorter than the lease, so that it has stopped before another starts.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two renewals.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between two looks of one that waits: a lease that is released changes hands within a second.</summary>
    public TimeSpan StandbyPeriod { get; init; } = TimeSpan.FromMilliseconds(750);
}
