namespace KruiseImage.Bed;

/// <summary>Where the objects are in the API.</summary>
public static class Paths
{
    public const string NodeImages = "/apis/apps.kruise.io/v1beta1/nodeimages";

    public const string AllJobs = "/apis/apps.kruise.io/v1beta1/imagepulljobs";

    public const string AllListJobs = "/apis/apps.kruise.io/v1beta1/imagelistpulljobs";

    public const string Leases = $"/apis/coordination.k8s.io/v1/namespaces/{ControlPlane.SystemNamespace}/leases";

    public static string NodeImage(string name) => $"{NodeImages}/{name}";

    public static string Jobs(string ns) => $"/apis/apps.kruise.io/v1beta1/namespaces/{ns}/imagepulljobs";

    public static string Job(string ns, string name) => $"{Jobs(ns)}/{name}";

    public static string Lists(string ns) => $"/apis/apps.kruise.io/v1beta1/namespaces/{ns}/imagelistpulljobs";

    public static string List(string ns, string name) => $"{Lists(ns)}/{name}";

    public static string Node(string name) => $"/api/v1/nodes/{name}";

    public static string Pods(string ns) => $"/api/v1/namespaces/{ns}/pods";

    public static string Secrets(string ns) => $"/api/v1/namespaces/{ns}/secrets";

    public static string Namespace(string name) => $"/api/v1/namespaces/{name}";

    public static string Events(string ns) => $"/api/v1/namespaces/{ns}/events";
}
