using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>One job: plan on the board's books, execute. Called by the loop with a key, never twice at once for the same.</summary>
public sealed class JobReconciler(JobBoard board, PlanExecutor executor, TimeProvider clock)
{
    public async Task<Outcome> Reconcile(string key, CancellationToken cancellationToken)
    {
        var plan = board.PlanJob(key, clock.GetUtcNow());
        return plan is null ? Outcome.Done : await executor.Execute(key, plan, cancellationToken).ConfigureAwait(false);
    }
}
