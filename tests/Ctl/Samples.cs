using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;

namespace KruiseImage.Tests.Ctl;

/// <summary>Objects of one small story: a job that pulls nginx:1.9.1 on some nodes, at a fixed time.</summary>
internal static class Samples
{
    public const string Uid = "0b0e7a52-6d3f-4a53-9d7e-3f1f6a1c2d10";
    public const string ListUid = "9a3f7a0e-55c1-4d0a-8d8e-6f0b1e2c3d4f";
    public const string Digest = "docker.io/library/nginx@sha256:2f68b99bc0d6d25d0c56876b924ec20418544ff28e1fb89a4c27679a40da811b";

    public static readonly DateTimeOffset Start = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    public static DateTimeOffset After(int seconds) => Start.AddSeconds(seconds);

    public static ImagePullJob Job(ImagePullJobStatus? status = null, string name = "nginx-1-9-1-x7k2p") => new()
    {
        Metadata = new() { Name = name, Namespace = "default", Uid = Uid, Generation = 1, CreationTimestamp = Start },
        Spec = new() { Image = "nginx:1.9.1", Parallelism = 10 },
        Status = status,
    };

    /// <summary>nginx:1.9.1 and redis:7.2.</summary>
    public static ImageListPullJob List(string name = "nginx-1-9-1-and-1-more-x7k2p") => new()
    {
        Metadata = new() { Name = name, Namespace = "default", Uid = ListUid, Generation = 1, CreationTimestamp = Start },
        Spec = new() { Images = ["nginx:1.9.1", "redis:7.2"], Parallelism = 10 },
    };

    /// <summary>The job of a list for this image.</summary>
    public static ImagePullJob OfList(string image, ImagePullJobStatus? status) => Job(status, $"release-{image.Length:x8}") with
    {
        Metadata = Job(status, $"release-{image.Length:x8}").Metadata with { Uid = $"uid of {image}", OwnerReferences = [new() { Kind = nameof(ImageListPullJob), Uid = ListUid, Controller = true }] },
        Spec = new() { Image = image, Parallelism = 10 },
    };

    public static ImagePullJobStatus Counts(int active, int succeeded, int failed, int waiting) => new()
    {
        StartTime = Start,
        Desired = active + succeeded + failed + waiting,
        Active = active,
        Succeeded = succeeded,
        Failed = failed,
        Waiting = waiting,
        Message = "job is running",
        ObservedGeneration = 1,
    };

    public static ImagePullJobStatus Complete(int nodes) => Counts(0, nodes, 0, 0) with
    {
        CompletionTime = After(12),
        Message = "job has completed",
        Digests = [new() { ImageID = Digest, Count = nodes }],
        Conditions = [new() { Type = JobCondition.Complete, Status = "True", Reason = "AllSucceeded", Message = "job has completed", LastTransitionTime = After(12) }],
    };

    public static ImagePullJobStatus Failed(int succeeded, params FailureGroup[] failures) => Counts(0, succeeded, failures.Sum(failure => failure.Count), 0) with
    {
        CompletionTime = After(34),
        Message = $"{failures.Sum(failure => failure.Count)} of {succeeded + failures.Sum(failure => failure.Count)} nodes failed",
        Failures = [.. failures],
        Conditions = [new() { Type = JobCondition.Failed, Status = "True", Reason = "NodesFailed", Message = "nodes failed", LastTransitionTime = After(34) }],
    };

    public static FailureGroup NotFound(int count) => new()
    {
        Reason = PullReason.NotFound,
        Count = count,
        Message = "docker.io/library/nginx:1.9.1: not found",
        Nodes = [.. Enumerable.Range(7, Math.Min(count, 10)).Select(i => $"node-{i}")],
    };

    /// <summary>A NodeImage with the job's entry, answered so; null: not answered.</summary>
    public static NodeImage Node(string name, ImageTagStatus? answer) => new()
    {
        Metadata = new() { Name = name, CreationTimestamp = Start.AddDays(-3) },
        Spec = new()
        {
            Images = new() { ["nginx"] = new() { Tags = [new() { Tag = "1.9.1", Version = 1, OwnerReferences = [new() { Kind = "ImagePullJob", Namespace = "default", Name = "nginx-1-9-1-x7k2p", Uid = Uid }] }] } },
        },
        Status = answer is null ? null : new()
        {
            Desired = 1,
            Pulling = answer.Phase == PullPhase.Pulling ? 1 : 0,
            Succeeded = answer.Phase == PullPhase.Succeeded ? 1 : 0,
            Failed = answer.Phase == PullPhase.Failed ? 1 : 0,
            ImageStatuses = new() { ["nginx"] = new() { Tags = [answer] } },
        },
    };

    /// <summary>Of the image that is pulled everywhere here.</summary>
    public const long Size = 26_144_000;

    /// <summary>By a daemon and a runtime that tell bytes, or that do not.</summary>
    public static ImageTagStatus Pulling(int progress, int startedAfter = 1, bool hasBytes = true) => hasBytes
        ? Pulling(progress, startedAfter, false) with { BytesDone = Size * progress / 100, BytesTotal = Size }
        : new() { Tag = "1.9.1", Version = 1, Phase = PullPhase.Pulling, Progress = progress, StartTime = After(startedAfter) };

    public static ImageTagStatus Succeeded(int seconds) =>
        new() { Tag = "1.9.1", Version = 1, Phase = PullPhase.Succeeded, Progress = 100, StartTime = After(1), CompletionTime = After(1 + seconds), ImageID = Digest };

    public static ImageTagStatus Failure(int seconds, string reason, string message) =>
        new() { Tag = "1.9.1", Version = 1, Phase = PullPhase.Failed, StartTime = After(1), CompletionTime = After(1 + seconds), Reason = reason, Message = message };

    public static JobProgress Progress(ImagePullJob job, int afterSeconds, params NodeImage[] nodes) =>
        JobProgress.Of(job, [.. nodes.SelectMany(PullEntry.Of).Select(entry => entry.Measured(null, After(afterSeconds)))], After(afterSeconds));
}
