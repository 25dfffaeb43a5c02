using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImageListPullJobs;

/// <summary>One list: read, plan, execute. Called by the loop with a key, never twice at once for the same.</summary>
public sealed class ListReconciler(ILister<ImageListPullJob> lists, ILister<ImagePullJob> jobs, ListBoard board, PlanExecutor executor, TimeProvider clock)
{
    public async Task<Outcome> Reconcile(string key, CancellationToken cancellationToken)
    {
        var view = ListView.Read(key, lists, jobs, board);
        if (view is null) return Outcome.Done;
        var plan = ListPlanner.Plan(view, clock.GetUtcNow());
        return await executor.Execute(key, plan, cancellationToken).ConfigureAwait(false);
    }
}
