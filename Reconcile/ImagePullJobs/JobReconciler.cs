using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// One job: plan on the board's books, execute. Two loops call it: <see cref="FillSlots"/> hears of events and never waits for a server,
/// <see cref="Reconcile"/> comes after it and does all else. Each is never called twice at once for the same key.
/// </summary>
/// <param name="reconcile">Queues a key for <see cref="Reconcile"/>.</param>
public sealed class JobReconciler(
    ILister<ImagePullJob> jobs, JobBoard board, IPullSecrets secrets, PlanExecutor executor, Action<string> reconcile, TimeProvider clock)
{
    public async Task<Outcome> FillSlots(string key, CancellationToken cancellationToken)
    {
        jobs.TryGet(key, out var job);
        var plan = JobFinalizerPlanner.Plan(job, secrets) is null ? board.PlanSlots(key, clock.GetUtcNow()) : null;
        var outcome = plan is null ? Outcome.Done : await executor.Execute(key, plan, cancellationToken).ConfigureAwait(false);
        reconcile(key);
        return outcome;
    }

    public async Task<Outcome> Reconcile(string key, CancellationToken cancellationToken)
    {
        jobs.TryGet(key, out var job);
        // A change of the finalizers brings the job back here, and then the books are planned on.
        var plan = JobFinalizerPlanner.Plan(job, secrets) ?? board.PlanJob(key, clock.GetUtcNow());
        return plan is null ? Outcome.Done : await executor.Execute(key, plan, cancellationToken).ConfigureAwait(false);
    }
}
