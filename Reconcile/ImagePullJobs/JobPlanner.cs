using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// Decides what happens next to one job: which nodes get a slot, which are given up, what the status says, when the job ends and
/// when it is deleted. Pure: the same view and time give the same plan. Called under the board's lock.
/// </summary>
public static class JobPlanner
{
    /// <summary>A Ready node whose daemon says nothing about a dispatched entry for this long holds no slot any more.</summary>
    public static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(60);

    /// <summary>When all other nodes are done, a node that is not ready has at least this long to come back, and a full one to get room.</summary>
    public static readonly TimeSpan NotReadyGrace = TimeSpan.FromSeconds(60);

    public static readonly TimeSpan RoundPeriod = TimeSpan.FromHours(24);

    /// <summary>Rounds of different nodes are spread over twice this.</summary>
    public static readonly TimeSpan RoundSpread = TimeSpan.FromMinutes(10);

    public const string AwaitsPods = "the pods of podSelector are not listed yet";
    public const string AwaitsSecrets = "its pull secrets are being copied";

    public static Plan Plan(JobView view, DateTimeOffset now)
    {
        var job = view.Job;
        if (job.Status?.CompletionTime is { } completed) return TtlAfterFinished.Plan(job.Spec.CompletionPolicy, completed, Delete(job), "the job", now);
        if (view.Ledger.Invalid is { } sentence) return Invalid(view, sentence, now);
        if (view.Ledger.AwaitsPods) return Reconcile.Plan.Nothing(AwaitsPods);
        if (view.SecretsWait > TimeSpan.Zero) return Reconcile.Plan.Nothing(AwaitsSecrets, view.SecretsWait);

        var startTime = job.Status?.StartTime ?? now;
        if (Deadline(job, startTime) is { } deadline && now >= deadline) return Finish(view, startTime, JobEnd.DeadlineExceeded, now);
        if (!view.Ledger.CompletesNever)
        {
            if (view.Ledger.Places.Desired == 0) return Finish(view, startTime, JobEnd.NoNodesMatched, now);
            if (IsAtEnd(view.Ledger, now)) return Finish(view, startTime, JobEnd.AllDone, now);
        }

        return Run(view, startTime, now);
    }

    /// <summary>
    /// Of a plan what needs no answer of the server: free slots go to waiting nodes. A slot that gets free while the job's status is on its
    /// way to the server is so filled at once.
    /// </summary>
    public static Plan PlanSlots(JobView view, DateTimeOffset now)
    {
        var (job, ledger) = (view.Job, view.Ledger);
        var isOver = job.Status?.CompletionTime is not null || (Deadline(job, job.Status?.StartTime ?? now) is { } deadline && now >= deadline);
        if (isOver || ledger.Invalid is not null || ledger.AwaitsPods || view.SecretsWait > TimeSpan.Zero) return Reconcile.Plan.Nothing("no slot to give");
        var dispatched = NextNodes(view, Parallelism(job, ledger.Places.Desired) - ledger.Places.Count(Place.Active));
        return dispatched.Count == 0 ? Reconcile.Plan.Nothing("no slot to give") : new Plan([new DispatchNodes(ledger.Uid, dispatched)], null, "free slots are given");
    }

    /// <summary>When the next round of a finished node is due: a day later, at a time of its own.</summary>
    public static DateTimeOffset RoundDue(string jobUid, FinishedRound round)
    {
        if (round.FinishedAt == DateTimeOffset.MinValue) return round.FinishedAt;
        var share = StableHash.Of(jobUid, round.Node) % 2001 / 1000.0 - 1; // -1 … 1
        return round.FinishedAt + RoundPeriod + share * RoundSpread;
    }

    private static Plan Run(JobView view, DateTimeOffset startTime, DateTimeOffset now)
    {
        var (ledger, places) = (view.Ledger, view.Ledger.Places);
        var actions = new List<PlanAction>();
        var silent = view.IsSweep ? SilentNodes(view, now) : [];
        if (silent.Count > 0) actions.Add(new HoldSilentNodes(ledger.Uid, silent));
        var due = view.FinishedRounds.Where(round => RoundDue(ledger.Uid, round) <= now).Select(round => round.Slot).ToList();
        if (due.Count > 0) actions.Add(new StartRound(ledger.Uid, due));

        var parallelism = Parallelism(view.Job, places.Desired);
        var dispatched = NextNodes(view, parallelism - (places.Count(Place.Active) - silent.Count));
        if (dispatched.Count > 0) actions.Add(new DispatchNodes(ledger.Uid, dispatched));

        var status = JobStatusWriter.Running(view, startTime, parallelism, dispatched.Count - silent.Count, now);
        var report = Report(view, status, now);
        actions.AddRange(report.Actions);
        if (report.Actions.Count > 0) actions.AddRange(JobEventWriter.Results(view, view.Job.Status, status));
        var requeueAfter = Earliest(report.RequeueAfter, NextLook(view, startTime, due.Count + silent.Count > 0, now));
        return new Plan(actions, requeueAfter, status.Message ?? "");
    }

    /// <summary>Every node that can finish has, and those that cannot work had their time.</summary>
    private static bool IsAtEnd(JobLedger ledger, DateTimeOffset now)
    {
        var places = ledger.Places;
        if (places.Unfinished == 0) return true;
        if (places.Count(Place.Waiting) + places.Count(Place.Active) > 0 || Parallelism(ledger.Job, places.Desired) == 0) return false;
        foreach (var hold in ledger.Holds.Values)
            if (now < GivenUpAt(hold)) return false;
        return true;
    }

    private static DateTimeOffset GivenUpAt(Hold hold) => hold.Reason is PullReason.NodeNotReady or PullReason.NodeImageFull ? hold.Since + NotReadyGrace : hold.Since;

    private static List<int> NextNodes(JobView view, int slots)
    {
        var places = view.Ledger.Places;
        var count = Math.Min(slots, places.Count(Place.Waiting));
        return count <= 0 ? [] : [.. places.InTurn(Place.Waiting, view.Ledger.FirstSlot).Take(count)];
    }

    /// <summary>
    /// Silence counts only while our watch is open: after an outage of the API server every daemon has its full time again. An
    /// acknowledged pull may be silent for as long as all its attempts can take.
    /// </summary>
    private static List<int> SilentNodes(JobView view, DateTimeOffset now)
    {
        if (view.NodeImagesLiveSince is not { } liveSince) return [];
        List<int> silent = [.. view.Ledger.Dispatches.Where(dispatch => now >= SilentAt(view.Job, dispatch.Value, liveSince)).Select(dispatch => dispatch.Key)];
        silent.Sort();
        return silent;
    }

    private static DateTimeOffset SilentAt(ImagePullJob job, Dispatch dispatch, DateTimeOffset liveSince)
    {
        var since = dispatch.LastSign > liveSince ? dispatch.LastSign : liveSince;
        if (!dispatch.Acknowledged) return since + ResponseTimeout;
        var longestAttempt = Defaults.Timeout(job.Spec.PullPolicy?.TimeoutSeconds) + TimeSpan.FromSeconds(30);
        return since + Defaults.Seconds((Defaults.Backoff(job.Spec.PullPolicy?.BackoffLimit) + 1L) * longestAttempt.TotalSeconds) + ResponseTimeout;
    }

    /// <summary>
    /// When all nodes are worth a look again: when the first of the dispatched ones may have been silent for too long. One that is
    /// dispatched from now on is not due within <see cref="ResponseTimeout"/>; that is also how often rounds are looked for.
    /// </summary>
    public static DateTimeOffset NextSweep(JobView view, DateTimeOffset now)
    {
        var next = now + ResponseTimeout;
        foreach (var dispatch in view.Ledger.Dispatches.Values)
            if (SilentAt(view.Job, dispatch, view.NodeImagesLiveSince ?? now) is var due && due > now && due < next) next = due;
        return next;
    }

    private static Plan Invalid(JobView view, string sentence, DateTimeOffset now)
    {
        var report = Report(view, JobStatusWriter.Invalid(view, sentence, now), now);
        if (report.Actions.Count == 0 || JobConditions.Say(view.Job.Status?.Conditions, JobCondition.Invalid, sentence)) return report;
        return report with { Actions = [.. report.Actions, new RecordEvent(view.Ledger.Owner, true, "InvalidSpec", sentence)] };
    }

    private static Plan Finish(JobView view, DateTimeOffset startTime, JobEnd end, DateTimeOffset now)
    {
        var status = JobStatusWriter.Finished(view, startTime, end, now);
        var actions = new List<PlanAction> { StatusPatch(view.Job, status) };
        actions.AddRange(JobEventWriter.Results(view, view.Job.Status, status));
        var failed = status.Failed > 0;
        var reason = end == JobEnd.NoNodesMatched ? nameof(JobEnd.NoNodesMatched) : failed ? "JobFailed" : "JobCompleted";
        actions.Add(new RecordEvent(view.Ledger.Owner, failed || end == JobEnd.NoNodesMatched, reason, status.Message!));
        return new Plan(actions, null, status.Message!);
    }

    private static Plan Report(JobView view, ImagePullJobStatus status, DateTimeOffset now) => StatusReport.Plan(
        view.Job.Status, view.Ledger.Written, status, CrdJson.Default.ImagePullJobStatus, StatusPatch(view.Job, status), status.Message ?? "", now);

    private static DeleteJob Delete(ImagePullJob job) => new(job.Metadata.Namespace!, job.Metadata.Name!, job.Metadata.Uid!);

    private static PatchJobStatus StatusPatch(ImagePullJob job, ImagePullJobStatus status) =>
        new(job.Metadata.Namespace!, job.Metadata.Name!, job.Metadata.ResourceVersion!, status);

    private static TimeSpan? NextLook(JobView view, DateTimeOffset startTime, bool looksAgain, DateTimeOffset now)
    {
        var ledger = view.Ledger;
        TimeSpan? next = looksAgain ? TimeSpan.FromMilliseconds(1) : null;
        if (Deadline(view.Job, startTime) is { } deadline) next = Earliest(next, deadline - now);
        if (ledger.Places.Count(Place.Active) > 0 || ledger.CompletesNever || ledger.Places.Count(Place.Waiting) > 0) next = Earliest(next, Positive(ledger.NextSweep - now));
        var isPaused = Parallelism(view.Job, ledger.Places.Desired) == 0; // then it ends when somebody resumes it, and not before
        if (ledger.Places.Unfinished == ledger.Places.Count(Place.Held) && ledger.Holds.Count > 0 && !ledger.CompletesNever && !isPaused)
            next = Earliest(next, Positive(ledger.Holds.Values.Max(GivenUpAt) - now));
        return next;
    }

    private static DateTimeOffset? Deadline(ImagePullJob job, DateTimeOffset startTime) =>
        job.Spec.CompletionPolicy is { ActiveDeadlineSeconds: { } seconds } policy && !Defaults.CompletesNever(policy) ? startTime + Defaults.Seconds(seconds) : null;

    /// <summary>How many nodes may pull at once; 0 pauses the job.</summary>
    public static int Parallelism(ImagePullJob job, int desired) => job.Spec.Parallelism is { } parallelism ? parallelism.Of(desired) ?? 0 : Defaults.Parallelism;

    private static TimeSpan? Earliest(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.FromMilliseconds(1);
}
