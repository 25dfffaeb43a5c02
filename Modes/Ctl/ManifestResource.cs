using System.Text.Json.Serialization;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>An installed object of any kind, cut down to what install asks of it: its version, and whether a CRD is served.</summary>
public sealed record InstalledObject : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();
    public InstalledStatus? Status { get; init; }

    [JsonIgnore]
    public bool IsEstablished => Status?.Conditions?.Exists(condition => condition is { Type: "Established", Status: "True" }) ?? false;

    /// <summary>Why a CRD is not served: names that another CRD has, or a schema that the server rejects.</summary>
    [JsonIgnore]
    public string? Complaint => Status?.Conditions?.Find(condition =>
        condition is { Type: "NamesAccepted", Status: "False" } or { Type: "NonStructuralSchema", Status: "True" })?.Message;
}

public sealed record InstalledStatus
{
    public List<Condition>? Conditions { get; init; }
}

/// <summary>Reads what install asks for; everything else of an object is skipped.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimeConverter)])]
[JsonSerializable(typeof(InstalledObject))]
[JsonSerializable(typeof(ObjectList<InstalledObject>))]
public sealed partial class InstallJson : JsonSerializerContext;

/// <summary>Where the kinds of our manifests live in the API. A kind that is missing here fails a test, not an install.</summary>
public static class ManifestResource
{
    public const string CustomResourceDefinition = nameof(CustomResourceDefinition);

    /// <summary>Servers before 1.30 do not have it, nor its binding.</summary>
    public const string AdmissionPolicy = "ValidatingAdmissionPolicy";

    public static Resource<InstalledObject> Of(Manifest manifest)
    {
        var slash = manifest.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        var group = slash < 0 ? "" : manifest.ApiVersion[..slash];
        return new(
            group, manifest.ApiVersion[(slash + 1)..], Plural(manifest.Kind), manifest.Namespace is not null,
            InstallJson.Default.InstalledObject, InstallJson.Default.ObjectListInstalledObject);
    }

    private static string Plural(string kind) => kind switch
    {
        CustomResourceDefinition => "customresourcedefinitions",
        "Namespace" => "namespaces",
        "ServiceAccount" => "serviceaccounts",
        "ClusterRole" => "clusterroles",
        "ClusterRoleBinding" => "clusterrolebindings",
        "Role" => "roles",
        "RoleBinding" => "rolebindings",
        "Deployment" => "deployments",
        "DaemonSet" => "daemonsets",
        AdmissionPolicy => "validatingadmissionpolicies",
        AdmissionPolicy + "Binding" => "validatingadmissionpolicybindings",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "install does not know where this kind lives in the API"),
    };
}
