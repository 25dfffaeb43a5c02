using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>What is left to do for a job or list that is over: nothing, until its TTL has passed and it is deleted. Pure.</summary>
public static class TtlAfterFinished
{
    /// <param name="what">"the job"</param>
    public static Plan Plan(CompletionPolicy? policy, DateTimeOffset completed, PlanAction delete, string what, DateTimeOffset now)
    {
        if (policy?.TtlSecondsAfterFinished is not { } ttl || Defaults.CompletesNever(policy)) return Reconcile.Plan.Nothing($"{what} is over");
        var left = completed + TimeSpan.FromSeconds(ttl) - now;
        if (left > TimeSpan.Zero) return Reconcile.Plan.Nothing($"{what} is over and is deleted at {completed.AddSeconds(ttl):u}", left);
        return new Plan([delete], null, "ttlSecondsAfterFinished has passed");
    }
}
