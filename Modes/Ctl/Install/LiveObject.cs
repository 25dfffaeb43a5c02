using System.Globalization;
using System.Text.Json;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>What installation asks of an object that the cluster has. Pure.</summary>
public static class LiveObject
{
    public const string NameLabel = "app.kubernetes.io/name";
    public const string Product = "kruise-image";
    public const string VersionLabel = "app.kubernetes.io/version";
    private const string ManagerLabel = "app.kubernetes.io/managed-by";

    public static bool IsEstablished(RawObject crd) => Conditions(crd).Any(condition => Is(condition, "Established", "True"));

    /// <summary>Why a CRD is not served: names that another CRD has, or a schema that the server rejects.</summary>
    public static string? Complaint(RawObject crd) =>
        Conditions(crd).Where(condition => Is(condition, "NamesAccepted", "False") || Is(condition, "NonStructuralSchema", "True"))
            .Select(condition => condition.Text("message")).FirstOrDefault();

    public static bool HasConversionWebhook(RawObject crd) => crd.Json.Text("spec", "conversion", "strategy") == "Webhook";

    /// <summary>The version that installed it; null when it does not say.</summary>
    public static Version? VersionOf(RawObject item) => Number(item.Metadata.Labels?.GetValueOrDefault(VersionLabel));

    /// <summary>Without what follows a dash: a release candidate counts as its release.</summary>
    public static Version? Number(string? text) => Version.TryParse(text?.Split('-')[0], out var version) ? version : null;

    public static bool IsOurs(RawObject item) => item.Metadata.Labels?.GetValueOrDefault(NameLabel) == Product;

    public static bool IsHelms(RawObject item) => item.Metadata.Labels?.GetValueOrDefault(ManagerLabel) == "Helm";

    /// <summary>"ctl install" put it there: by its label, and by its name among those who applied it.</summary>
    public static bool WasApplied(RawObject item) => IsOurs(item)
        && item.Json.Items("metadata", "managedFields").Any(manager => manager.Text("manager") == Product && manager.Text("operation") == "Apply");

    /// <summary>What a Deployment or DaemonSet still waits for; null when all its pods are new and there.</summary>
    public static string? Missing(RawObject workload)
    {
        var status = workload.Json.At("status") ?? default;
        if (Count(status, "observedGeneration") < (workload.Metadata.Generation ?? 0)) return "nobody has looked at it yet";
        var (desired, updated, available) = workload.Json.At("spec", "replicas") is { } replicas
            ? (replicas.GetInt64(), Count(status, "updatedReplicas"), Count(status, "availableReplicas"))
            : (Count(status, "desiredNumberScheduled"), Count(status, "updatedNumberScheduled"), Count(status, "numberAvailable"));
        return updated >= desired && available >= desired ? null
            : string.Create(CultureInfo.InvariantCulture, $"{updated} of {desired} pods are of this version, {available} are available");
    }

    private static IEnumerable<JsonElement> Conditions(RawObject item) => item.Json.Items("status", "conditions");

    private static bool Is(JsonElement condition, string type, string status) => condition.Text("type") == type && condition.Text("status") == status;

    private static long Count(JsonElement status, string name) => status.At(name) is { ValueKind: JsonValueKind.Number } number ? number.GetInt64() : 0;
}
