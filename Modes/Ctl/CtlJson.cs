using System.Text.Json.Serialization;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Watching;
using KruiseImage.Modes.Ctl.Why;

namespace KruiseImage.Modes.Ctl;

/// <summary>What "-o json" prints while a job is followed. A promise to scripts: fields may be added, none changes its meaning.</summary>
public sealed record JobProgressJson
{
    public DateTimeOffset Time { get; init; }
    public string? Namespace { get; init; }
    public string? Name { get; init; }
    public string? Image { get; init; }
    /// <summary>Pending, Pulling, Paused, Complete, Failed or Invalid.</summary>
    public string? Phase { get; init; }
    public int Desired { get; init; }
    public int Active { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public int Waiting { get; init; }
    public string? Message { get; init; }
    public List<NodePullJson>? Pulling { get; init; }
    /// <summary>Of the pulls under way, where their nodes tell bytes; so the next two.</summary>
    public long? BytesDone { get; init; }
    public long? BytesTotal { get; init; }
    public long? BytesPerSecond { get; init; }
    /// <summary>Null when there is no forecast.</summary>
    public int? SecondsLeft { get; init; }
    /// <summary>Only in the last line: one of <see cref="FollowOutcome"/>.</summary>
    public string? Outcome { get; init; }
    /// <summary>Only in the last line.</summary>
    public int? ExitCode { get; init; }
    public List<FailureGroup>? Failures { get; init; }
    public List<DigestCount>? Digests { get; init; }

    public static JobProgressJson Of(JobProgress progress) => new()
    {
        Time = progress.Now,
        Namespace = progress.Job.Metadata.Namespace,
        Name = progress.Job.Metadata.Name,
        Image = progress.Image,
        Phase = progress.Phase.ToString(),
        Desired = progress.Status.Desired,
        Active = progress.Status.Active,
        Succeeded = progress.Status.Succeeded,
        Failed = progress.Status.Failed,
        Waiting = progress.Status.Waiting,
        Message = progress.Status.Message,
        Pulling = [.. progress.Pulling.Select(entry => new NodePullJson(entry.Node, entry.Answer!.Progress, entry.Answer.BytesDone, entry.Answer.BytesTotal))],
        BytesDone = progress.Sum.Told > 0 ? progress.Sum.BytesDone : null,
        BytesTotal = progress.Sum.Told > 0 ? progress.Sum.BytesTotal : null,
        BytesPerSecond = (long?)progress.Sum.BytesPerSecond,
        SecondsLeft = (int?)progress.Remaining?.TotalSeconds,
    };
}

/// <summary>What "get images -o json" prints. A promise as the above.</summary>
public sealed record ImageCensusJson(List<ImageCountJson> Items)
{
    public static ImageCensusJson Of(IEnumerable<ImageCount> images) => new(
    [
        .. images.Select(image => new ImageCountJson(
            image.Image, image.Wanted, image.Present, image.Pulling, image.Failed, image.Waiting, [.. image.Digests],
            [.. image.Failures.Select(failure => new FailureGroup { Reason = failure.Key, Count = failure.Value })], [.. image.Jobs])),
    ]);
}

/// <param name="Nodes">Those that have it.</param>
/// <param name="Digests">More than one when the tag moved between pulls; most nodes first.</param>
/// <param name="Jobs">"namespace/name".</param>
public sealed record ImageCountJson(
    string Image, int Wanted, int Nodes, int Pulling, int Failed, int Waiting, List<DigestCount> Digests, List<FailureGroup> Failures, List<string> Jobs);

/// <summary>A node at work; without bytes where it does not tell them.</summary>
public sealed record NodePullJson(string Node, int Progress, long? BytesDone, long? BytesTotal);

/// <summary>The line after all others when several jobs are followed.</summary>
public sealed record FollowEndJson(DateTimeOffset Time, int Jobs, int Succeeded, string Outcome, int ExitCode);

/// <summary>What only ctl writes or reads: its progress lines, and objects exactly as the server has them.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimeConverter)])]
[JsonSerializable(typeof(JobProgressJson))]
[JsonSerializable(typeof(FollowEndJson))]
[JsonSerializable(typeof(ImageCensusJson))]
[JsonSerializable(typeof(WhyJson))]
[JsonSerializable(typeof(TopJson))]
[JsonSerializable(typeof(StatusJson))]
[JsonSerializable(typeof(VersionJson))]
[JsonSerializable(typeof(RawObject))]
[JsonSerializable(typeof(ObjectList<RawObject>))]
public sealed partial class CtlJson : JsonSerializerContext;
