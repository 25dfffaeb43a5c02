using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.SecretCopies;

/// <summary>The copies of one source secret: read, plan, execute. Called by the loop with the source's key, never twice at once for the same.</summary>
public sealed class SecretCopyReconciler(SecretBoard board, ILister<Secret> copies, PlanExecutor executor)
{
    /// <summary>Copies that are not listed yet would be made a second time.</summary>
    private static readonly TimeSpan UntilListed = TimeSpan.FromSeconds(1);

    public async Task<Outcome> Reconcile(string source, CancellationToken cancellationToken)
    {
        if (!copies.IsSynced) return Outcome.RequeueAfter(UntilListed);
        if (board.Read(source) is not { } view) return Outcome.Done;
        return await executor.Execute(source, SecretCopyPlanner.Plan(view), cancellationToken).ConfigureAwait(false);
    }
}
