using System.Text.Json.Serialization;
using KruiseImage.Crds;
using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>A line of "node pull -o json". A promise to scripts: fields may be added, none changes its meaning.</summary>
public sealed record NodePullsJson
{
    public DateTimeOffset? Time { get; init; }
    public List<NodePullJson> Images { get; init; } = [];
    /// <summary>Only in the last line, after Ctrl-C.</summary>
    public bool? IsInterrupted { get; init; }
    /// <summary>Only then: of which references what arrived is kept for a while.</summary>
    public List<string>? Kept { get; init; }
    /// <summary>Only in the last line.</summary>
    public int? ExitCode { get; init; }

    public static NodePullsJson Of(NodePullMoment moment) => new()
    {
        Time = moment.Now,
        Images = [.. moment.Pulls.Select(pull => new NodePullJson
        {
            Image = pull.Name,
            Phase = pull.Status.Phase,
            Progress = pull.Status.Progress,
            BytesDone = pull.BytesDone,
            BytesTotal = pull.BytesTotal,
            BytesPerSecond = (long?)pull.BytesPerSecond,
            WasPresent = pull.Status.Phase == PullPhase.Succeeded ? pull.WasPresent : null,
            ImageID = pull.Status.ImageID,
            Size = pull.ImageBytes,
            Reason = pull.Status.Reason,
            Message = pull.Status.Message,
        })],
    };
}

/// <summary>One image of it; phase, progress, reason and message as in the status of a NodeImage.</summary>
public sealed record NodePullJson
{
    public string? Image { get; init; }
    public string? Phase { get; init; }
    public int Progress { get; init; }
    public long? BytesDone { get; init; }
    public long? BytesTotal { get; init; }
    public long? BytesPerSecond { get; init; }
    public bool? WasPresent { get; init; }
    public string? ImageID { get; init; }
    public long? Size { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
}

/// <summary>What "node images -o json" prints.</summary>
public sealed record NodeImagesJson(IReadOnlyList<NodeImageJson> Images, IReadOnlyList<ImageFilesystem> Filesystems);

public sealed record NodeImageJson(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, long Size, bool Pinned);

/// <summary>What "node progress -o json" prints, one line each time with --watch.</summary>
public sealed record NodeDownloadsJson(DateTimeOffset Time, IReadOnlyList<NodeDownloadJson> Downloads);

public sealed record NodeDownloadJson(string Ref, IReadOnlyList<string> Repositories, long BytesDone, long BytesTotal, long? BytesPerSecond, DateTimeOffset? StartedAt);

/// <summary>What only "ctl node" writes.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimeConverter), typeof(OptionalTimeConverter)])]
[JsonSerializable(typeof(NodePullsJson))]
[JsonSerializable(typeof(NodeImagesJson))]
[JsonSerializable(typeof(NodeDownloadsJson))]
public sealed partial class OnNodeJson : JsonSerializerContext;
