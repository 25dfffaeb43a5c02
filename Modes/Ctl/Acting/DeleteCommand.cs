using System.CommandLine;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>"ctl delete JOB…": takes jobs away, with what they hold on the nodes.</summary>
public static class DeleteCommand
{
    public static Command Create() => new ActCommand("delete", "Deletes jobs and lists: pulls under way are stopped, images that arrived stay.")
    {
        Examples = """
            kruise-image ctl delete nginx-1-9-1-x7k2p
            # a list and its jobs; all that there is in the namespace
            kruise-image ctl delete list/release-7
            kruise-image ctl delete --all -n shop
            """,
        AllDescription = "All jobs and lists of the namespace.",
        IsMeant = _ => true,
    }.Create(_ => (writer, target, cancellationToken) => new DeleteVerb(writer).Run(target, cancellationToken));
}

/// <summary>Deletes one job or list, and says what that stops.</summary>
public sealed class DeleteVerb(JobWriter writer)
{
    public async Task<ActResult> Run(IKubeObject target, CancellationToken cancellationToken)
    {
        var ending = target is ImageListPullJob list ? await EndOf(list, cancellationToken).ConfigureAwait(false) : EndOf((ImagePullJob)target);
        await writer.Delete(target, cancellationToken).ConfigureAwait(false);
        return new(true, $"{JobWords.NounAndKeyOf(target)} deleted{ending}");
    }

    private static string EndOf(ImagePullJob job) => job.Status is { CompletionTime: null, Active: > 0 } status
        ? $": the pull of {job.Spec.Image} stops on {(status.Active == 1 ? "1 node" : $"{status.Active} nodes")}, unless another job wants it"
        : job.Metadata.OwnerReferences is [{ Kind: nameof(ImageListPullJob), Controller: true } owner, ..] ? $"; the list \"{owner.Name}\" makes it again unless it has ended"
        : "";

    private async Task<string> EndOf(ImageListPullJob list, CancellationToken cancellationToken)
    {
        var jobs = await writer.JobsOf(list, cancellationToken).ConfigureAwait(false);
        if (jobs.Count == 0) return "";
        var active = jobs.Where(job => !JobWords.IsOver(job)).Sum(job => job.Status?.Active ?? 0);
        var stops = active == 0 ? "" : $": {active} {(active == 1 ? "pull stops" : "pulls stop")}, unless another job wants them";
        return $", and its {jobs.Count} {(jobs.Count == 1 ? "job goes" : "jobs go")} with it{stops}";
    }
}
