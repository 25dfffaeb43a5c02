using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.NodeImages;

/// <summary>One NodeImage: read, plan, execute. Called by the loop with a node's name, never twice at once for the same.</summary>
public sealed class NodeImageReconciler(ILister<Node> nodes, ILister<NodeImage> nodeImages, IClaims claims, PlanExecutor executor, TimeProvider clock)
{
    public async Task<Outcome> Reconcile(string name, CancellationToken cancellationToken)
    {
        var view = NodeImageView.Read(name, nodes, nodeImages, claims);
        if (view is null) return Outcome.Done;
        var plan = NodeImagePlanner.Plan(view, clock.GetUtcNow());
        return await executor.Execute(name, plan, cancellationToken).ConfigureAwait(false);
    }
}
