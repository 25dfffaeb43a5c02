using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>Where the kinds of our manifests live in the API. A kind that is missing here fails a test, not an install.</summary>
public static class ManifestResource
{
    public const string CustomResourceDefinition = nameof(CustomResourceDefinition);
    public const string Namespace = nameof(Namespace);
    public const string Deployment = nameof(Deployment);
    public const string DaemonSet = nameof(DaemonSet);

    /// <summary>In the order in which a cluster takes them.</summary>
    private static readonly (string Kind, string ApiVersion, string Plural, bool Namespaced)[] Kinds =
    [
        (CustomResourceDefinition, "apiextensions.k8s.io/v1", "customresourcedefinitions", false),
        (Namespace, "v1", "namespaces", false),
        ("ServiceAccount", "v1", "serviceaccounts", true),
        ("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", false),
        ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", false),
        ("Role", "rbac.authorization.k8s.io/v1", "roles", true),
        ("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", true),
        ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "validatingadmissionpolicies", false),
        ("ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", false),
        (Deployment, "apps/v1", "deployments", true),
        ("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", true),
        ("Service", "v1", "services", true),
        (DaemonSet, "apps/v1", "daemonsets", true),
        ("ServiceMonitor", "monitoring.coreos.com/v1", "servicemonitors", true),
        ("PodMonitor", "monitoring.coreos.com/v1", "podmonitors", true),
    ];

    /// <summary>What the server says of an object of any kind, whole.</summary>
    public static Resource<RawObject> Of(string apiVersion, string plural, bool namespaced)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return new(slash < 0 ? "" : apiVersion[..slash], apiVersion[(slash + 1)..], plural, namespaced, CtlJson.Default.RawObject, CtlJson.Default.ObjectListRawObject);
    }

    public static Resource<RawObject> Of(Manifest manifest) => Of(manifest.Kind);

    public static Resource<RawObject> Of(string kind)
    {
        var known = Kinds[Place(kind)];
        return Of(known.ApiVersion, known.Plural, known.Namespaced);
    }

    /// <summary>The kinds that may go with a version or a setting: neither CRDs nor namespaces, which take with them what others put there.</summary>
    public static IEnumerable<string> Removable => Kinds.Select(known => known.Kind).Where(kind => kind is not (CustomResourceDefinition or Namespace));

    /// <summary>Among the kinds, as a cluster takes them.</summary>
    public static int Place(string kind) => Array.FindIndex(Kinds, known => known.Kind == kind) is >= 0 and var place
        ? place
        : throw new ArgumentOutOfRangeException(nameof(kind), kind, "install does not know where this kind lives in the API");

    /// <summary>Why a server may not have the kind, and what follows; null for a kind that every server has.</summary>
    public static string? WhenMissing(string kind) => kind switch
    {
        "ValidatingAdmissionPolicy" or "ValidatingAdmissionPolicyBinding" => "this API server is older than 1.30, so a daemon may write what concerns other nodes",
        "PodDisruptionBudget" => "this API server is older than 1.21, so a drain may take all controllers at once",
        _ => null,
    };
}
