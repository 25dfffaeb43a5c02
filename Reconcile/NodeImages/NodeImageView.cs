using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.NodeImages;

/// <summary>All that decides about one NodeImage: its Node, itself, the claims of jobs on it, and what its entries' owners want.</summary>
public sealed record NodeImageView(
    string Name,
    Node? Node,
    NodeImage? NodeImage,
    IReadOnlyList<PullClaim> Claims,
    Func<ObjectReference, string, string, OwnerStanding> Standing)
{
    /// <summary>Null when there is neither a Node nor a NodeImage of that name.</summary>
    public static NodeImageView? Read(string name, ILister<Node> nodes, ILister<NodeImage> nodeImages, IClaims claims)
    {
        nodes.TryGet(name, out var node);
        nodeImages.TryGet(name, out var nodeImage);
        if (node is null && nodeImage is null) return null;
        return new NodeImageView(name, node, nodeImage, node is null ? [] : claims.On(name), (owner, image, tag) => claims.Standing(owner, name, image, tag));
    }
}
