using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>
/// What one node should have pulled (spec) and what became of it (status). The controller and people write the spec, the
/// daemon of that node alone writes the status. Same name and labels as the Node.
/// </summary>
public sealed record NodeImage : IKubeObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public NodeImageSpec? Spec { get; init; }
    public NodeImageStatus? Status { get; init; }
}

/// <summary>Familiar image name ("nginx", "quay.io/foo/bar") to the tags wanted of it.</summary>
public sealed record NodeImageSpec
{
    public Dictionary<string, ImageSpec>? Images { get; init; }
}

public sealed record ImageSpec
{
    public List<SecretReference>? PullSecrets { get; init; }
    public List<ImageTagSpec>? Tags { get; init; }
    public SandboxConfig? SandboxConfig { get; init; }
}

/// <summary>A secret copy in the namespace that daemons may read.</summary>
public sealed record SecretReference
{
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Namespace { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Name { get; init; }
}

/// <summary>Labels and annotations of the sandbox config that goes with the CRI PullImage call.</summary>
public sealed record SandboxConfig
{
    public Dictionary<string, string>? Labels { get; init; }
    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>One entry: a tag or digest of an image. A raised <see cref="Version"/> asks for a new pull.</summary>
public sealed record ImageTagSpec
{
    /// <summary>A tag, or a digest "sha256:…".</summary>
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Tag { get; init; }
    public long? Version { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public TagPullPolicy? PullPolicy { get; init; }
    public List<ObjectReference>? OwnerReferences { get; init; }
    /// <summary>For this tag alone, as OpenKruise 1.9 writes them; <see cref="ImageSpec.PullSecrets"/> holds for all tags.</summary>
    public List<SecretReference>? PullSecrets { get; init; }
    /// <summary>"IfNotPresent" (default) or "Always".</summary>
    [JsonConverter(typeof(InternedStringConverter))]
    public string? ImagePullPolicy { get; init; }
}

/// <summary>How one entry is pulled and when it goes. All in seconds.</summary>
public sealed record TagPullPolicy
{
    public int? TimeoutSeconds { get; init; }
    public int? BackoffLimit { get; init; }
    public int? TtlSecondsAfterFinished { get; init; }
    public long? ActiveDeadlineSeconds { get; init; }
}

public sealed record NodeImageStatus
{
    public int Desired { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public int Pulling { get; init; }
    public int Waiting { get; init; }
    public Dictionary<string, ImageStatus>? ImageStatuses { get; init; }
    public FirstSyncStatus? FirstSyncStatus { get; init; }
}

public sealed record ImageStatus
{
    /// <summary>Sorted by tag, ordinal.</summary>
    public List<ImageTagStatus>? Tags { get; init; }
}

/// <summary>
/// Answers the spec entry of the same tag and version. A controller holds one for each entry of each node: a nullable number or time
/// takes 16 or 24 bytes, so these are kept in 8.
/// </summary>
public sealed record ImageTagStatus
{
    private readonly long _startTicks, _completionTicks, _nextAttemptTicks; // UTC; 0: not given
    private readonly long _bytesDone, _bytesTotal; // their complement; 0: not given

    [JsonConverter(typeof(InternedStringConverter))]
    public string? Tag { get; init; }
    /// <summary>One of <see cref="PullPhase"/>.</summary>
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Phase { get; init; }
    /// <summary>0 to 100, from bytes.</summary>
    public int Progress { get; init; }
    /// <summary>
    /// Of <see cref="BytesTotal"/>, those that are on the node, fetched now or there before. Both are of the last attempt that was looked
    /// at, stay when it ends, and are equal after success. Null: the runtime does not tell, or nothing had to be looked at because the
    /// image was there or came within a second.
    /// </summary>
    public long? BytesDone { get => Count(_bytesDone); init => _bytesDone = Complement(value); }
    /// <summary>Config and layers of the image of this node's platform, compressed.</summary>
    public long? BytesTotal { get => Count(_bytesTotal); init => _bytesTotal = Complement(value); }
    public DateTimeOffset? StartTime { get => Moment(_startTicks); init => _startTicks = Ticks(value); }
    public DateTimeOffset? CompletionTime { get => Moment(_completionTicks); init => _completionTicks = Ticks(value); }
    /// <summary>Only between a failed attempt and the next.</summary>
    public DateTimeOffset? NextAttemptTime { get => Moment(_nextAttemptTicks); init => _nextAttemptTicks = Ticks(value); }
    public long Version { get; init; }
    /// <summary>"name@sha256:…"</summary>
    [JsonConverter(typeof(InternedStringConverter))]
    public string? ImageID { get; init; }
    /// <summary>One of <see cref="PullReason"/>; null unless the pull failed or waits.</summary>
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Reason { get; init; }
    public string? Message { get; init; }

    private static DateTimeOffset? Moment(long ticks) => ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);

    private static long Ticks(DateTimeOffset? moment) => moment?.UtcTicks ?? 0;

    private static long? Count(long complement) => complement == 0 ? null : ~complement;

    /// <summary>No count is negative, whatever somebody wrote.</summary>
    private static long Complement(long? count) => count is >= 0 and var given ? ~given : 0;
}

/// <summary>When everything that the node was first asked for had finished.</summary>
public sealed record FirstSyncStatus
{
    public DateTimeOffset? SyncAt { get; init; }
    public string? Status { get; init; }
    public string? Message { get; init; }
}

/// <summary>Values of an entry's status phase.</summary>
public static class PullPhase
{
    public const string Waiting = "Waiting";
    public const string Pulling = "Pulling";
    public const string Succeeded = "Succeeded";
    public const string Failed = "Failed";

    public static bool IsFinished(string? phase) => phase is Succeeded or Failed;
}

/// <summary>Reasons of the events that tell how pulls ended: the daemon's on the NodeImage, the controller's on the job.</summary>
public static class PullEvent
{
    public const string Succeeded = "PullImageSucceed";
    public const string Failed = "PullImageFailed";
}

/// <summary>Machine-readable reasons of a failed or waiting pull (contract 2.8), and those that only a job can give.</summary>
public static class PullReason
{
    public const string Auth = nameof(Auth);
    public const string NotFound = nameof(NotFound);
    public const string NoMatchingPlatform = nameof(NoMatchingPlatform);
    public const string InvalidReference = nameof(InvalidReference);
    public const string RateLimited = nameof(RateLimited);
    public const string RegistryUnavailable = nameof(RegistryUnavailable);
    public const string Timeout = nameof(Timeout);
    public const string DeadlineExceeded = nameof(DeadlineExceeded);
    public const string InsufficientDisk = nameof(InsufficientDisk);
    public const string RuntimeUnavailable = nameof(RuntimeUnavailable);
    public const string Cancelled = nameof(Cancelled);
    public const string Unknown = nameof(Unknown);

    public const string NodeNotFound = nameof(NodeNotFound);
    public const string NodeNotReady = nameof(NodeNotReady);
    public const string DaemonNotResponding = nameof(DaemonNotResponding);
    public const string NodeImageFull = nameof(NodeImageFull);

    /// <summary>Whether another attempt cannot help.</summary>
    public static bool IsTerminal(string? reason) => reason is Auth or NotFound or NoMatchingPlatform or InvalidReference;
}
