using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>Where a kind lives in the API and how its JSON is read.</summary>
public sealed record Resource<T>(string Group, string Version, string Plural, bool Namespaced, JsonTypeInfo<T> Type, JsonTypeInfo<ObjectList<T>> ListType)
    where T : class, IKubeObject
{
    /// <summary>A quicker way to read a version of an object that the cache has; null where it is not worth its code.</summary>
    public CachedReader<T>? ReadCached { get; init; }
}

/// <returns>Null when it must be read whole. The reader may then stand anywhere.</returns>
public delegate T? CachedReader<T>(ref Utf8JsonReader reader, ILister<T> cache)
    where T : class, IKubeObject;

/// <summary>The kinds we talk about.</summary>
public static class Resources
{
    public static readonly Resource<Node> Nodes = new("", "v1", "nodes", false, CrdJson.Default.Node, CrdJson.Default.ObjectListNode);
    public static readonly Resource<Pod> Pods = new("", "v1", "pods", true, CrdJson.Default.Pod, CrdJson.Default.ObjectListPod);
    public static readonly Resource<Secret> Secrets = new("", "v1", "secrets", true, CrdJson.Default.Secret, CrdJson.Default.ObjectListSecret);
    public static readonly Resource<Event> Events = new("", "v1", "events", true, CrdJson.Default.Event, CrdJson.Default.ObjectListEvent);
    public static readonly Resource<Lease> Leases =
        new("coordination.k8s.io", "v1", "leases", true, CrdJson.Default.Lease, CrdJson.Default.ObjectListLease);
    public static readonly Resource<NodeImage> NodeImages =
        new(Defaults.Group, Defaults.Version, "nodeimages", false, CrdJson.Default.NodeImage, CrdJson.Default.ObjectListNodeImage) { ReadCached = NodeImageReader.TryRead };
    public static readonly Resource<ImagePullJob> ImagePullJobs =
        new(Defaults.Group, Defaults.Version, "imagepulljobs", true, CrdJson.Default.ImagePullJob, CrdJson.Default.ObjectListImagePullJob);
    public static readonly Resource<ImageListPullJob> ImageListPullJobs =
        new(Defaults.Group, Defaults.Version, "imagelistpulljobs", true, CrdJson.Default.ImageListPullJob, CrdJson.Default.ObjectListImageListPullJob);
}

/// <summary>Identity of an object within its kind: "name", or "namespace/name".</summary>
public static class ObjectKey
{
    public static string Of(ObjectMeta metadata) => Of(metadata.Namespace, metadata.Name!);

    public static string Of(string? @namespace, string name) => string.IsNullOrEmpty(@namespace) ? name : $"{@namespace}/{name}";

    public static (string? Namespace, string Name) Split(string key) =>
        key.IndexOf('/', StringComparison.Ordinal) is var slash && slash < 0 ? (null, key) : (key[..slash], key[(slash + 1)..]);
}
