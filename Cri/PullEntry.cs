using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>An entry of a NodeImage: image name and tag (or digest), as they are written there.</summary>
public readonly record struct EntryKey(string Image, string Tag)
{
    /// <summary>By image, then tag, ordinal: the order of the status.</summary>
    public static readonly IComparer<EntryKey> Order = Comparer<EntryKey>.Create((one, other) =>
        string.CompareOrdinal(one.Image, other.Image) is not 0 and var byImage ? byImage : string.CompareOrdinal(one.Tag, other.Tag));

    public override string ToString() => ImageReference.ForRuntime(Image, Tag);
}

/// <summary>
/// An entry of the spec as the daemon will do it: defaults applied again, reference resolved, numbers in range. Whoever wrote the
/// entry, through whatever server, this is safe. Pure; made by <see cref="PullEntry.ReadAll"/>, used by the pull table.
/// </summary>
public sealed record PullEntry
{
    public required EntryKey Key { get; init; }
    public required long Version { get; init; }
    /// <summary>What the runtime is asked for: canonical name with tag or digest. Equal references are pulled one at a time.</summary>
    public required string Reference { get; init; }
    /// <summary>"docker.io/library/nginx"; credentials and progress go by it.</summary>
    public required string CanonicalName { get; init; }
    /// <summary>Why the reference cannot be pulled; null when it can.</summary>
    public string? Invalid { get; init; }
    public required bool PullsAlways { get; init; }
    public required int BackoffLimit { get; init; }
    public required TimeSpan Timeout { get; init; }
    public TimeSpan? ActiveDeadline { get; init; }
    public IReadOnlyList<SecretReference> PullSecrets { get; init; } = [];
    public SandboxConfig? SandboxConfig { get; init; }
    public IReadOnlyList<ObjectReference> Owners { get; init; } = [];

    public string Tag => Key.Tag;

    /// <summary>All entries, sorted, each key once, within the bounds.</summary>
    public static IEnumerable<PullEntry> ReadAll(NodeImageSpec? spec)
    {
        foreach (var (image, images) in (spec?.Images ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal).Take(Defaults.MaxImages))
        {
            var tags = (images?.Tags ?? []).Where(tag => tag?.Tag is not null).DistinctBy(tag => tag.Tag, StringComparer.Ordinal);
            foreach (var tag in tags.OrderBy(tag => tag.Tag, StringComparer.Ordinal).Take(Defaults.MaxTagsPerImage)) yield return Read(image, images!, tag);
        }
    }

    private static PullEntry Read(string image, ImageSpec spec, ImageTagSpec tag)
    {
        var key = new EntryKey(image, tag.Tag!);
        var policy = tag.PullPolicy;
        var isValid = ImageReference.TryParse(key.ToString(), out var reference, out var error);
        return new PullEntry
        {
            Key = key,
            Version = tag.Version ?? 0,
            Reference = isValid ? ImageReference.ForRuntime(reference!.CanonicalName, reference.TagOrDigest) : key.ToString(),
            CanonicalName = reference?.CanonicalName ?? image,
            Invalid = isValid ? null : error,
            PullsAlways = Defaults.PullsAlways(tag.ImagePullPolicy),
            BackoffLimit = Defaults.Backoff(policy?.BackoffLimit),
            Timeout = Defaults.Timeout(policy?.TimeoutSeconds),
            ActiveDeadline = policy?.ActiveDeadlineSeconds is > 0 and var seconds ? Defaults.Seconds(seconds) : null,
            PullSecrets = [.. tag.PullSecrets ?? [], .. spec.PullSecrets ?? []],
            SandboxConfig = spec.SandboxConfig,
            Owners = tag.OwnerReferences ?? [],
        };
    }
}
