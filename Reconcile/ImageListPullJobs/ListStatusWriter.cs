using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImageListPullJobs;

/// <summary>
/// Puts the children of a list into the words of its status. Deterministic: the same children give the same bytes. Pure.
/// Each image is counted once: desired is active and completed together.
/// </summary>
public static class ListStatusWriter
{
    public static ImageListPullJobStatus Invalid(ImageListPullJob list, string sentence, DateTimeOffset now) => new()
    {
        ObservedGeneration = list.Metadata.Generation,
        Conditions = Conditions(list, new Condition { Type = JobCondition.Invalid, Status = "True", Reason = "InvalidSpec", Message = sentence }, now),
    };

    /// <param name="children">One for each image, those included that this very plan makes.</param>
    public static ImageListPullJobStatus Running(ImageListPullJob list, IReadOnlyList<ImagePullJob> children, DateTimeOffset startTime, DateTimeOffset now)
    {
        var isPaused = list.Spec.Parallelism?.Of(1) == 0;
        Condition? suspended = isPaused
            ? new() { Type = JobCondition.Suspended, Status = "True", Reason = "ParallelismIsZero", Message = "list is paused because parallelism is 0" }
            : null;
        return Counts(list, children, startTime) with { Conditions = Conditions(list, suspended, now) };
    }

    /// <param name="children">One for each image, all of them over.</param>
    public static ImageListPullJobStatus Finished(ImageListPullJob list, IReadOnlyList<ImagePullJob> children, DateTimeOffset startTime, DateTimeOffset now)
    {
        var failed = children.Count(child => !Succeeded(child));
        var condition = failed > 0
            ? new Condition { Type = JobCondition.Failed, Status = "True", Reason = "ImagesFailed", Message = $"{failed} of {children.Count} images failed" }
            : new Condition { Type = JobCondition.Complete, Status = "True", Reason = "AllSucceeded", Message = "list has completed" };
        return Counts(list, children, startTime) with { CompletionTime = now, Conditions = Conditions(list, condition, now) };
    }

    public static bool IsFinished(ImagePullJob child) => child.Status?.CompletionTime is not null;

    private static bool Succeeded(ImagePullJob child) => IsFinished(child) && child.Status!.Failed == 0;

    private static ImageListPullJobStatus Counts(ImageListPullJob list, IReadOnlyList<ImagePullJob> children, DateTimeOffset startTime)
    {
        var completed = children.Count(IsFinished);
        var failures = children.Where(child => child.Status?.Failed > 0).Select(Failure).OrderBy(failure => failure.Name, StringComparer.Ordinal).ToList();
        return new ImageListPullJobStatus
        {
            StartTime = startTime,
            Desired = children.Count,
            Active = children.Count - completed,
            Completed = completed,
            Succeeded = children.Count(Succeeded),
            FailedImageStatuses = failures.Count == 0 ? null : failures,
            ObservedGeneration = list.Metadata.Generation,
        };
    }

    /// <summary>How many nodes failed, and what the first of the most frequent reason said.</summary>
    private static FailedImageStatus Failure(ImagePullJob child)
    {
        var status = child.Status!;
        var cause = status.Failures is [{ } worst, ..] ? $", {worst.Reason}: {worst.Message}" : "";
        return new FailedImageStatus
        {
            ImagePullJob = child.Metadata.Name,
            Name = child.Spec.Image,
            Message = $"{status.Failed} of {status.Desired} nodes failed{cause}",
        };
    }

    private static List<Condition>? Conditions(ImageListPullJob list, Condition? current, DateTimeOffset now) =>
        JobConditions.Of(list.Status?.Conditions, current, list.Metadata.Generation, now);
}
