using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>One job: plan on the board's books, execute. Called by the loop with a key, never twice at once for the same.</summary>
public sealed class JobReconciler(ILister<ImagePullJob> jobs, JobBoard board, IPullSecrets secrets, PlanExecutor executor, TimeProvider clock)
{
    public async Task<Outcome> Reconcile(string key, CancellationToken cancellationToken)
    {
        jobs.TryGet(key, out var job);
        // A change of the finalizers brings the job back here, and then the books are planned on.
        var plan = JobFinalizerPlanner.Plan(job, secrets) ?? board.PlanJob(key, clock.GetUtcNow());
        return plan is null ? Outcome.Done : await executor.Execute(key, plan, cancellationToken).ConfigureAwait(false);
    }
}
