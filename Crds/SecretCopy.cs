using System.Security.Cryptography;
using System.Text;

namespace KruiseImage.Crds;

/// <summary>
/// What tells that a Secret is the copy of a job's pull secret (contract 4.1): names and marks, the same as OpenKruise's. The
/// controller writes them; the daemon reads from them which namespace a credential came from. Pure.
/// </summary>
public static class SecretCopy
{
    /// <summary>The namespace that daemons may read.</summary>
    public const string DefaultNamespace = "kruise-daemon-config";

    /// <summary>"namespace/name" of the Secret that it is a copy of.</summary>
    public const string SourceKeyAnnotation = "imagepulljobs.kruise.io/source-key";

    /// <summary>The uid of that Secret. Also how copies are found.</summary>
    public const string SourceUidLabel = "imagepulljobs.kruise.io/source-uid";

    /// <summary>The jobs that name it: "namespace/job,namespace/job2", sorted.</summary>
    public const string ReferencesAnnotation = "imagepulljobs.kruise.io/references";

    /// <summary>Holds a deleted job until its copies are gone.</summary>
    public const string Finalizer = "apps.kruise.io/image-pull-protection";

    /// <summary>
    /// OpenKruise's: the name in its sources (ProtectionFinalizer), and the one that our contract has. Nobody takes them off a job
    /// once OpenKruise is gone, so we do.
    /// </summary>
    public static readonly IReadOnlyList<string> UpstreamFinalizers = ["apps.kruise.io/deletion-protection", "apps.kruise.io/fake-finalizer"];

    /// <summary>Names that begin so are ours: a reference to one goes from a NodeImage when no job needs it any more.</summary>
    private const string NamePrefix = "imagepull.";

    private const int MaxNameLength = 253;

    /// <summary>
    /// The name of the copy, from the source alone: whoever plans again after a lost answer makes no second one. A namespace has no
    /// dot, so two sources never share a name; one that would be too long is cut and told apart by a digest nobody can forge.
    /// </summary>
    public static string NameOf(string @namespace, string name)
    {
        var whole = $"{NamePrefix}{@namespace}.{name}";
        if (whole.Length <= MaxNameLength) return whole;
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(whole)));
        return $"{whole.AsSpan(0, MaxNameLength - 1 - digest.Length).TrimEnd("-.")}-{digest}";
    }

    /// <summary>Whether a finalizer of the job, ours or OpenKruise's, keeps it until its copies are gone.</summary>
    public static bool IsGuarded(ImagePullJob job) => job.Metadata.Finalizers?.Exists(IsGuard) == true;

    public static bool IsGuard(string finalizer) => finalizer == Finalizer || UpstreamFinalizers.Contains(finalizer);

    public static bool IsCopyName(string? name) => name?.StartsWith(NamePrefix, StringComparison.Ordinal) == true;

    /// <summary>The jobs that a copy says it is for; none when it is nobody's copy.</summary>
    public static string[] References(Secret? secret) =>
        secret?.Metadata.Annotations?.GetValueOrDefault(ReferencesAnnotation)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public static string? SourceKey(Secret secret) => secret.Metadata.Annotations?.GetValueOrDefault(SourceKeyAnnotation);

    /// <summary>The namespace whose jobs may use it: that of its source, or its own when it is nobody's copy.</summary>
    public static string NamespaceServed(Secret secret) =>
        SourceKey(secret) is { } key && key.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? key[..slash] : secret.Metadata.Namespace ?? "";
}
