using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>
/// Keeps our finalizer on the jobs whose secrets are copied, until the copies are gone (contract 3.10), and takes OpenKruise's off
/// what is being deleted: nobody else would. Pure.
/// </summary>
public static class JobFinalizerPlanner
{
    /// <summary>Null when the finalizers are right.</summary>
    public static Plan? Plan(ImagePullJob? job, IPullSecrets secrets)
    {
        if (job is null) return null;
        var known = job.Metadata.Finalizers ?? [];
        if (job.Metadata.DeletionTimestamp is not null)
        {
            if (!SecretCopy.IsGuarded(job) || secrets.MayHoldCopies(ObjectKey.Of(job.Metadata))) return null;
            return Change(job, [.. known.Where(finalizer => !SecretCopy.IsGuard(finalizer))], "its secret copies are gone");
        }

        if (known.Contains(SecretCopy.Finalizer) || job.Status?.CompletionTime is not null) return null;
        if (!secrets.ReferencesFor(job).Any(reference => SecretCopy.IsCopyName(reference.Name))) return null;
        return Change(job, [.. known, SecretCopy.Finalizer], "its secrets are copied");
    }

    private static Plan Change(ImagePullJob job, IReadOnlyList<string> finalizers, string why) =>
        new([new PatchJobFinalizers(job.Metadata.Namespace!, job.Metadata.Name!, job.Metadata.ResourceVersion!, finalizers)], null, why);
}
