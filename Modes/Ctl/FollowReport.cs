using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>The last words about a followed job, and the exit code that goes with them.</summary>
public static class FollowReport
{
    public static int ExitCodeOf(FollowOutcome outcome) => outcome switch
    {
        FollowOutcome.Succeeded => ExitCode.Done,
        FollowOutcome.Interrupted => ExitCode.Interrupted,
        _ => ExitCode.Failed,
    };

    /// <summary>Of all that was followed: the verdict, then what is not well, each with its own.</summary>
    public static IEnumerable<string> Lines(FollowProgress progress, FollowOutcome outcome)
    {
        if (progress.IsSingle) return Lines(progress.Rows[0].Progress, outcome);
        var isStopped = outcome is FollowOutcome.TimedOut or FollowOutcome.Interrupted;
        var took = DurationText.Short(progress.Elapsed);
        var verdict = progress.Rows.Count == progress.Succeeded
            ? $"{(progress.Rows.Count == 1 ? "the one image is" : $"all {progress.Rows.Count} images are")} on all their nodes ({took})"
            : $"{progress.Succeeded} of {progress.Rows.Count} images are on all their nodes ({took}){(isStopped ? "; the rest goes on" : "")}";
        var rest = progress.Rows.Where(row => row.Outcome != FollowOutcome.Succeeded).SelectMany(row => RestOf(row).Select(line => $"  {line}"));
        string[] next = !isStopped ? [] :
            [.. JobWords.Of(progress.Targets).SelectMany(words => new[] { $"follow them: kruise-image ctl wait {words}", $"stop them:   kruise-image ctl cancel {words}" })];
        return [verdict, .. rest.Distinct(), .. next]; // an invalid list says the same for each of its images
    }

    private static IEnumerable<string> RestOf(FollowRow row) => row.Outcome is { } outcome
        ? Lines(row.Progress, outcome)
        : row.Progress.Phase == JobPhase.Pending ? [$"{row.Progress.Image}: no controller has looked at it yet"]
        : [$"{row.Progress.Image}: {row.Progress.Done} of {row.Progress.Status.Desired} nodes done"];

    /// <summary>The verdict in one line; what to do next, if there is anything, in those after it.</summary>
    public static IEnumerable<string> Lines(JobProgress progress, FollowOutcome outcome)
    {
        var status = progress.Status;
        var took = DurationText.Short(progress.Elapsed);
        var words = JobWords.Of([progress.Job]).First();
        var all = status.Desired == 1 ? "the one node" : $"all {status.Desired} nodes";
        var have = $"{status.Succeeded} of {status.Desired} nodes have {progress.Image}";
        yield return outcome switch
        {
            FollowOutcome.Succeeded => $"{progress.Image} is on {all} of {progress.Key} ({took})",
            FollowOutcome.Failed => $"{progress.Image} is not on {status.Failed} of {status.Desired} nodes ({took})",
            FollowOutcome.Invalid => $"{progress.Key} is invalid: {JobState.MessageOf(progress.Job)}",
            FollowOutcome.NothingMatched => $"{progress.Key}: nothing was pulled, no node matches: {SpecWords.Nodes(progress.Job.Spec)}",
            FollowOutcome.Deleted => $"{progress.Key} was deleted before it ended: {have}",
            FollowOutcome.TimedOut => $"{progress.Key} is not done after {took}: {have}; it goes on",
            _ => $"{progress.Key} goes on without you: {have}",
        };
        if (outcome == FollowOutcome.Failed)
        {
            foreach (var failure in status.Failures ?? []) yield return $"  {FailureLine(failure)}";
            yield return $"see why: kruise-image ctl describe job {words}";
        }
        if (outcome is FollowOutcome.TimedOut or FollowOutcome.Interrupted)
        {
            yield return $"follow it: kruise-image ctl wait {words}";
            yield return $"stop it:   kruise-image ctl cancel {words}";
        }
    }

    /// <summary>"NotFound on 2 nodes (node-1, node-2): the message".</summary>
    public static string FailureLine(FailureGroup failure)
    {
        var nodes = JobDescription.NodesOf(failure);
        var count = failure.Count == 1 ? "1 node" : $"{failure.Count} nodes";
        var message = string.IsNullOrEmpty(failure.Message) ? "" : $": {failure.Message}";
        return $"{failure.Reason} on {count}{(nodes.Length > 0 ? $" ({nodes})" : "")}{message}";
    }
}
