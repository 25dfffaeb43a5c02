using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>Where a job stands, in one word.</summary>
public enum JobPhase
{
    /// <summary>No controller has looked at it, or not since its last edit; it has not ended.</summary>
    Pending,
    Pulling,
    /// <summary>parallelism is 0.</summary>
    Paused,
    Complete,
    Failed,
    /// <summary>A rule of the spec is broken; no node is touched.</summary>
    Invalid,
}

/// <summary>Reads a job's status: the one place that knows what the conditions mean to a person.</summary>
public static class JobState
{
    public static JobPhase Of(ImagePullJob job)
    {
        var status = job.Status;
        if (status is null) return JobPhase.Pending;
        // Whatever was edited since: what has ended is not begun again, and nobody observes a later generation of it.
        if (status.CompletionTime is not null)
            return status.Failed > 0 || ConditionOf(job, JobCondition.Failed) is not null ? JobPhase.Failed : JobPhase.Complete;
        if (status.ObservedGeneration < job.Metadata.Generation) return JobPhase.Pending;
        if (ConditionOf(job, JobCondition.Invalid) is not null) return JobPhase.Invalid;
        return ConditionOf(job, JobCondition.Suspended) is not null ? JobPhase.Paused : JobPhase.Pulling;
    }

    /// <summary>Nothing will change any more, unless somebody edits the job.</summary>
    public static bool IsOver(JobPhase phase) => phase is JobPhase.Complete or JobPhase.Failed or JobPhase.Invalid;

    /// <summary>The job ended without a node to pull on.</summary>
    public static bool MatchedNothing(ImagePullJob job) => Of(job) == JobPhase.Complete && job.Status!.Desired == 0;

    /// <summary>Null unless the condition is true.</summary>
    public static Condition? ConditionOf(ImagePullJob job, string type) =>
        ConditionOf(job.Status?.Conditions, type);

    /// <inheritdoc cref="ConditionOf(ImagePullJob, string)"/>
    public static Condition? ConditionOf(List<Condition>? conditions, string type) =>
        conditions?.Find(condition => condition.Type == type && condition.Status == "True");

    /// <summary>What the controller says about the job as it stands.</summary>
    public static string MessageOf(ImagePullJob job) =>
        ConditionOf(job, JobCondition.Invalid)?.Message ?? (job.Status is null ? "no controller has looked at it yet" : job.Status.Message ?? "");

    public static Cell Show(ImagePullJob job) => Of(job) switch
    {
        JobPhase.Complete => new("Complete", Tone.Good),
        JobPhase.Failed => new("Failed", Tone.Bad),
        JobPhase.Invalid => new("Invalid", Tone.Bad),
        JobPhase.Pulling => new("Pulling", Tone.Busy),
        var phase => new(phase.ToString(), Tone.Faint),
    };
}
