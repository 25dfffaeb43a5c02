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

    /// <summary>The verdict in one line; what to do next, if there is anything, in those after it.</summary>
    public static IEnumerable<string> Lines(JobProgress progress, FollowOutcome outcome)
    {
        var status = progress.Status;
        var took = DurationText.Short(progress.Elapsed);
        var words = KubectlWords(progress.Job);
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
            yield return $"stop it:   kubectl delete imagepulljob {words}";
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

    /// <summary>Name and namespace as both kubectl and ctl take them.</summary>
    public static string KubectlWords(ImagePullJob job) => $"{job.Metadata.Name} -n {job.Metadata.Namespace}";
}
