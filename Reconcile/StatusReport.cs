using System.Text.Json.Serialization.Metadata;

namespace KruiseImage.Reconcile;

/// <summary>A status that the server took from us.</summary>
public sealed record StatusWrite<T>(T Status, DateTimeOffset At)
    where T : class;

/// <summary>
/// When a status is written: if it says something new, and not more often than the period allows. What a job or list says at its
/// end does not come here and is written at once. Pure.
/// </summary>
public static class StatusReport
{
    /// <summary>At most one write per object in this time.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <param name="known">As the server has it.</param>
    /// <param name="written">Our last write, which a server with an older schema may have stored in part only.</param>
    /// <param name="write">The action that writes <paramref name="status"/>.</param>
    public static Plan Plan<T>(T? known, StatusWrite<T>? written, T status, JsonTypeInfo<T> type, PlanAction write, string why, DateTimeOffset now)
        where T : class
    {
        if (JsonEquality.Same(known, status, type) || JsonEquality.Same(written?.Status, status, type)) return Reconcile.Plan.Nothing(why);
        var nextWrite = (written?.At ?? DateTimeOffset.MinValue) + Period;
        return now < nextWrite ? Reconcile.Plan.Nothing(why, nextWrite - now) : new Plan([write], null, why);
    }
}
