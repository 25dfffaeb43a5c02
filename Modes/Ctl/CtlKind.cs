using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>A kind that verbs name: where it lives, and the words for it in sentences.</summary>
/// <param name="Kind">"ImagePullJob"</param>
/// <param name="Noun">"job": what a person types after get and describe.</param>
public sealed record CtlKind<T>(Resource<T> Resource, string Kind, string Noun)
    where T : class, IKubeObject
{
    /// <summary>The same objects, unread.</summary>
    public Resource<RawObject> Raw { get; } = new(
        Resource.Group, Resource.Version, Resource.Plural, Resource.Namespaced, CtlJson.Default.RawObject, CtlJson.Default.ObjectListRawObject);

    /// <summary>The kind and group, as "kubectl get -o name" writes it before the slash.</summary>
    public string NamePrefix => $"{Kind.ToLowerInvariant()}.{Resource.Group}";
}

public static class CtlKinds
{
    public static CtlKind<ImagePullJob> Jobs { get; } = new(Resources.ImagePullJobs, "ImagePullJob", "job");

    public static CtlKind<ImageListPullJob> Lists { get; } = new(Resources.ImageListPullJobs, "ImageListPullJob", "list");

    public static CtlKind<NodeImage> Nodes { get; } = new(Resources.NodeImages, "NodeImage", "node");
}
