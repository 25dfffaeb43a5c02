using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImagePullJobs;

public enum JobEnd
{
    AllDone,
    NoNodesMatched,
    DeadlineExceeded,
}

/// <summary>Puts the books of a job into the words of its status. Deterministic: the same books give the same bytes. Pure.</summary>
public static class JobStatusWriter
{
    private const int NodesPerFailure = 10;

    /// <summary>An API server stores objects of about 1.5 MB; a status that is refused as too large would keep its job from ending.</summary>
    private const int MostNameCharacters = 1_000_000;

    /// <summary>Two quotes and a comma.</summary>
    private const int Quotes = 3;

    public static ImagePullJobStatus Invalid(JobView view, string sentence, DateTimeOffset now) => new()
    {
        Message = sentence,
        ObservedGeneration = view.Job.Metadata.Generation,
        Conditions = Conditions(view.Job, now, new Condition { Type = JobCondition.Invalid, Status = "True", Reason = "InvalidSpec", Message = sentence }),
    };

    /// <param name="dispatching">Nodes that this very plan moves from waiting to active.</param>
    public static ImagePullJobStatus Running(JobView view, DateTimeOffset startTime, int parallelism, int dispatching, DateTimeOffset now)
    {
        var places = view.Ledger.Places;
        var finished = places.Count(Place.Succeeded) + places.Count(Place.Failed);
        var isPaused = parallelism == 0;
        var progress = (places.Desired == 0 ? 100.0 : 100.0 * finished / places.Desired).ToString("0.0", CultureInfo.InvariantCulture);
        var message = isPaused ? $"job is paused because parallelism is 0, progress {progress}%" : $"job is running, progress {progress}%";
        Condition? suspended = isPaused ? new() { Type = JobCondition.Suspended, Status = "True", Reason = "ParallelismIsZero", Message = message } : null;
        return Counts(view, startTime, dispatching) with
        {
            Message = message,
            FailedNodes = Names(view, view.Ledger.Failures.Keys),
            Failures = Failures(view, view.Ledger.Failures.Select(failure => (failure.Key, failure.Value))),
            Conditions = Conditions(view.Job, now, suspended),
        };
    }

    /// <summary>What is unfinished counts as failed, each node once.</summary>
    public static ImagePullJobStatus Finished(JobView view, DateTimeOffset startTime, JobEnd end, DateTimeOffset now)
    {
        var places = view.Ledger.Places;
        var failures = view.Ledger.Failures.Select(failure => (failure.Key, failure.Value)).Concat(Leftovers(view, end)).ToList();
        var message = (end, failures.Count) switch
        {
            (JobEnd.NoNodesMatched, _) => "no node matches the selector of the job",
            (_, 0) => "job has completed",
            (JobEnd.DeadlineExceeded, var count) => $"job exceeds activeDeadlineSeconds, {count} of {places.Desired} nodes failed",
            (_, var count) => $"{count} of {places.Desired} nodes failed",
        };
        var condition = failures.Count > 0
            ? new Condition { Type = JobCondition.Failed, Status = "True", Reason = end == JobEnd.DeadlineExceeded ? PullReason.DeadlineExceeded : "NodesFailed", Message = message }
            : new Condition { Type = JobCondition.Complete, Status = "True", Reason = end == JobEnd.NoNodesMatched ? nameof(JobEnd.NoNodesMatched) : "AllSucceeded", Message = message };
        return Counts(view, startTime, 0) with
        {
            CompletionTime = now,
            Active = 0,
            Waiting = 0,
            Failed = failures.Count,
            Message = message,
            FailedNodes = Names(view, failures.Select(failure => failure.Key)),
            Failures = Failures(view, failures),
            Conditions = Conditions(view.Job, now, condition),
        };
    }

    private static ImagePullJobStatus Counts(JobView view, DateTimeOffset startTime, int dispatching)
    {
        var places = view.Ledger.Places;
        return new ImagePullJobStatus
        {
            StartTime = startTime,
            Desired = places.Desired,
            Active = places.Count(Place.Active) + dispatching,
            Waiting = places.Count(Place.Waiting) + places.Count(Place.Held) - dispatching,
            Succeeded = places.Count(Place.Succeeded),
            Failed = places.Count(Place.Failed),
            Digests = view.Ledger.Digests.ToStatus(),
            ObservedGeneration = view.Job.Metadata.Generation,
        };
    }

    private static IEnumerable<(int Key, NodeFailure Value)> Leftovers(JobView view, JobEnd end)
    {
        var ledger = view.Ledger;
        foreach (var (slot, hold) in ledger.Holds) yield return (slot, new NodeFailure(hold.Reason, HoldMessage(hold.Reason)));
        if (end != JobEnd.DeadlineExceeded) yield break;
        foreach (var slot in ledger.Places.In(Place.Active)) yield return (slot, new NodeFailure(PullReason.DeadlineExceeded, "the pull had not finished at the job's deadline"));
        foreach (var slot in ledger.Places.In(Place.Waiting)) yield return (slot, new NodeFailure(PullReason.DeadlineExceeded, "the node had not got a slot at the job's deadline"));
    }

    /// <summary>What a reason to hold a node means.</summary>
    public static string HoldMessage(string reason) => reason switch
    {
        PullReason.NodeNotFound => "there is no Node of this name",
        PullReason.NodeNotReady => "the node is not ready",
        PullReason.DaemonNotResponding => "the daemon of the node did not respond",
        PullReason.NodeImageFull => $"the NodeImage of the node is full: it holds {Defaults.MaxImages} images, or as many tags of this one",
        _ => reason,
    };

    private static List<string>? Names(JobView view, IEnumerable<int> slots)
    {
        var names = slots.Select(view.Slots.Name).ToList();
        names.Sort(StringComparer.Ordinal);
        var room = MostNameCharacters - Characters(view.Job.Spec.Selector?.Names ?? []);
        if (Characters(names) > room) names = [.. names.TakeWhile(name => (room -= name.Length + Quotes) >= 0)];
        return names.Count == 0 ? null : names;
    }

    private static int Characters(List<string> names) => names.Sum(name => name.Length + Quotes);

    private static List<FailureGroup>? Failures(JobView view, IEnumerable<(int Slot, NodeFailure Failure)> failures)
    {
        var groups = failures.GroupBy(failure => failure.Failure.Reason, StringComparer.Ordinal).Select(group =>
        {
            var nodes = group.Select(failure => (Name: view.Slots.Name(failure.Slot), failure.Failure.Message)).OrderBy(node => node.Name, StringComparer.Ordinal).ToList();
            return new FailureGroup
            {
                Reason = group.Key,
                Count = nodes.Count,
                Message = nodes[0].Message,
                Nodes = [.. nodes.Take(NodesPerFailure).Select(node => node.Name)],
            };
        }).OrderByDescending(group => group.Count).ThenBy(group => group.Reason, StringComparer.Ordinal).ToList();
        return groups.Count == 0 ? null : groups;
    }

    private static List<Condition>? Conditions(ImagePullJob job, DateTimeOffset now, Condition? current) =>
        JobConditions.Of(job.Status?.Conditions, current, job.Metadata.Generation, now);
}
