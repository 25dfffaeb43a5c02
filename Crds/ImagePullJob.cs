using System.Text.Json;
using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>One image, on these nodes, so many at a time. People write the spec, the leading controller alone the status.</summary>
public sealed record ImagePullJob : IKubeObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public ImagePullJobSpec Spec { get; init => field = value ?? new(); } = new();
    public ImagePullJobStatus? Status { get; init; }
}

/// <summary>How entries and events name a job.</summary>
public static class ImagePullJobReference
{
    public static ObjectReference Reference(this ImagePullJob job) => new()
    {
        ApiVersion = Defaults.ApiVersion,
        Kind = nameof(ImagePullJob),
        Namespace = job.Metadata.Namespace,
        Name = job.Metadata.Name,
        Uid = job.Metadata.Uid ?? "",
    };
}

/// <summary>What an ImagePullJob and the children of an ImageListPullJob have in common: everything but the image.</summary>
public record ImagePullJobTemplate
{
    public List<string>? PullSecrets { get; init; }
    public NodeSelector? Selector { get; init; }
    public PodSelector? PodSelector { get; init; }
    public IntOrPercent? Parallelism { get; init; }
    public CompletionPolicy? CompletionPolicy { get; init; }
    public PullPolicy? PullPolicy { get; init; }
    public SandboxConfig? SandboxConfig { get; init; }
    /// <summary>"IfNotPresent" (default) or "Always".</summary>
    public string? ImagePullPolicy { get; init; }
}

public sealed record ImagePullJobSpec : ImagePullJobTemplate
{
    public ImagePullJobSpec()
    {
    }

    /// <summary>All that the template has; the image is to be set.</summary>
    public ImagePullJobSpec(ImagePullJobTemplate template)
        : base(template)
    {
    }

    public string? Image { get; init; }
}

/// <summary>Node names, or labels of NodeImages. Both null or empty: every node.</summary>
public sealed record NodeSelector
{
    public List<string>? Names { get; init; }
    public Dictionary<string, string>? MatchLabels { get; init; }
    public List<LabelSelectorRequirement>? MatchExpressions { get; init; }
}

/// <summary>
/// Labels of pods of the job's namespace. The manual writes the labels straight under podSelector; OpenKruise's API has them
/// under matchLabels. Both work: <see cref="Shorthand"/> holds the former.
/// </summary>
public sealed record PodSelector
{
    public Dictionary<string, string>? MatchLabels { get; init; }
    public List<LabelSelectorRequirement>? MatchExpressions { get; init; }
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Shorthand { get; set; }
}

public sealed record LabelSelectorRequirement
{
    public string? Key { get; init; }
    /// <summary>In, NotIn, Exists or DoesNotExist.</summary>
    public string? Operator { get; init; }
    public List<string>? Values { get; init; }
}

public sealed record CompletionPolicy
{
    /// <summary>"Always" (default): the job ends. "Never": every node pulls again each day.</summary>
    public string? Type { get; init; }
    public long? ActiveDeadlineSeconds { get; init; }
    public int? TtlSecondsAfterFinished { get; init; }
}

public sealed record PullPolicy
{
    public int? TimeoutSeconds { get; init; }
    public int? BackoffLimit { get; init; }
}

public sealed record ImagePullJobStatus
{
    public DateTimeOffset? StartTime { get; init; }
    public DateTimeOffset? CompletionTime { get; init; }
    public int Desired { get; init; }
    public int Active { get; init; }
    public int Waiting { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public string? Message { get; init; }
    /// <summary>Sorted, distinct.</summary>
    public List<string>? FailedNodes { get; init; }
    /// <summary>Grouped by reason, most nodes first.</summary>
    public List<FailureGroup>? Failures { get; init; }
    /// <summary>More than one when the tag moved during the roll-out. Most nodes first.</summary>
    public List<DigestCount>? Digests { get; init; }
    public long? ObservedGeneration { get; init; }
    public List<Condition>? Conditions { get; init; }
}

public sealed record FailureGroup
{
    public string Reason { get; init => field = value ?? ""; } = "";
    public int Count { get; init; }
    /// <summary>What the first node of the group said.</summary>
    public string? Message { get; init; }
    /// <summary>At most ten, sorted.</summary>
    public List<string>? Nodes { get; init; }
}

public sealed record DigestCount
{
    public string ImageID { get; init => field = value ?? ""; } = "";
    public int Count { get; init; }
}

/// <summary>Types of the conditions of a job.</summary>
public static class JobCondition
{
    public const string Complete = "Complete";
    public const string Failed = "Failed";
    public const string Suspended = "Suspended";
    public const string Invalid = "Invalid";
}
