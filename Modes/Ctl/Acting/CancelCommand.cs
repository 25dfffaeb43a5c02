using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>"ctl cancel JOB…": ends jobs now; what they reached can still be read.</summary>
public static class CancelCommand
{
    public static Command Create() => new ActCommand("cancel", "Ends unfinished jobs now: pulls under way are stopped, the job stays to be read.")
    {
        Notes = $"""
            The job gets a deadline that is over, and ends as Failed for the nodes that were not done; images that arrived stay.
            The policies that it had are kept in its annotation {Cancelling.Annotation}, for "ctl retry".
            """,
        Examples = """
            kruise-image ctl cancel nginx-1-9-1-x7k2p
            kruise-image ctl cancel list/release-7
            # pull what is missing after all
            kruise-image ctl retry nginx-1-9-1-x7k2p --wait
            """,
        AllDescription = "All unfinished jobs and lists of the namespace.",
        IsMeant = target => !JobWords.IsOver(target),
    }.Create(_ => (writer, target, cancellationToken) => new CancelVerb(writer).Run(target, cancellationToken));
}

/// <summary>Ends one job or list, and says how far it came.</summary>
public sealed class CancelVerb(JobWriter writer)
{
    public async Task<ActResult> Run(IKubeObject target, CancellationToken cancellationToken)
    {
        if (JobWords.IsOver(target)) return new(false, $"{JobWords.NounAndKeyOf(target)} has ended: there is nothing to cancel");
        return target is ImageListPullJob list
            ? await List(list, cancellationToken).ConfigureAwait(false)
            : await Job((ImagePullJob)target, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ActResult> Job(ImagePullJob job, CancellationToken cancellationToken)
    {
        var what = JobWords.NounAndKeyOf(job);
        if (JobState.Of(job) == JobPhase.Invalid) return new(false, $"{what} is invalid and pulls nothing: take it away with: kruise-image ctl delete {JobWords.Of([job]).First()}");
        await writer.Patch(job, Cancelling.Cancel, cancellationToken).ConfigureAwait(false);
        var ended = await writer.Until(Resources.ImagePullJobs, job, JobWords.IsOver, cancellationToken).ConfigureAwait(false);
        return new(true, ended.Status is { CompletionTime: not null } status
            ? $"{what} cancelled: {status.Succeeded} of {status.Desired} nodes have {job.Spec.Image}"
            : $"{what} cancelled: it ends when a controller looks at it");
    }

    /// <summary>The list ends with its jobs; a job of it that was edited by hand is not made again.</summary>
    private async Task<ActResult> List(ImageListPullJob list, CancellationToken cancellationToken)
    {
        var what = JobWords.NounAndKeyOf(list);
        if (Defaults.CompletesNever(list.Spec.CompletionPolicy))
            return new(false, $"{what} has no end (completion policy Never): take it away with: kruise-image ctl delete {JobWords.Of([list]).First()}");
        var jobs = await writer.JobsOf(list, cancellationToken).ConfigureAwait(false);
        if (jobs.Count < (list.Spec.Images ?? []).Count)
            return new(false, $"{what} has jobs for {jobs.Count} of its {(list.Spec.Images ?? []).Count} images only, the controller is not done: try again, or delete it");
        foreach (var job in jobs.Where(job => !JobWords.IsOver(job))) await writer.Patch(job, Cancelling.Cancel, cancellationToken).ConfigureAwait(false);
        var ended = await writer.Until(Resources.ImageListPullJobs, list, JobWords.IsOver, cancellationToken).ConfigureAwait(false);
        return new(true, ended.Status is { CompletionTime: not null } status
            ? $"{what} cancelled: {status.Succeeded} of {status.Desired} images are on all their nodes"
            : $"{what} cancelled: it ends when a controller looks at its jobs");
    }
}
