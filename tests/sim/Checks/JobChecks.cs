using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;
using KruiseImage.Sim.Engine;
using KruiseImage.Sim.Parts;

namespace KruiseImage.Sim.Checks;

/// <summary>
/// What must hold of each write to a job or list: the books balance, a completion is never undone, nothing counts as reached that no
/// node reported, and no copy of a secret outlives its jobs.
/// </summary>
internal sealed class JobChecks(Cluster cluster, NodeImageChecks nodeImages)
{
    private readonly Dictionary<string, DateTimeOffset> _completed = [];
    private readonly Dictionary<string, HashSet<EntryKey>> _images = [];
    private readonly Dictionary<string, TimeSpan> _copyWritten = [];

    public void OnWritten(SimWrite write)
    {
        if (!write.Changed) return;
        if (write is { Plural: "secrets", After: not null }) _copyWritten[write.After.Read(Resources.Secrets).Metadata.Uid!] = cluster.Schedule.Now;
        if (write.Plural == "imagepulljobs")
        {
            if (write.After is null) CheckCopies(write.Key);
            else CheckJob(write.After.Read(Resources.ImagePullJobs));
        }
        else if (write is { Plural: "imagelistpulljobs", After: not null })
        {
            var list = write.After.Read(Resources.ImageListPullJobs);
            CheckCompletion(list.Metadata, list.Status?.CompletionTime);
        }
    }

    private void CheckJob(ImagePullJob job)
    {
        var key = ObjectKey.Of(job.Metadata);
        if (!_images.TryGetValue(job.Metadata.Uid!, out var images)) _images[job.Metadata.Uid!] = images = [];
        if (ImageReference.TryParse(job.Spec.Image, out var reference, out _)) images.Add(new EntryKey(reference.FamiliarName, reference.TagOrDigest));
        CheckCompletion(job.Metadata, job.Status?.CompletionTime);
        if (job.Status is not { } status) return;
        if (status.Desired != status.Active + status.Waiting + status.Succeeded + status.Failed) cluster.Trace.Violate($"the buckets of {key} do not add up: {status}");
        var failed = status.FailedNodes ?? [];
        if (failed.Count != status.Failed || failed.Distinct(StringComparer.Ordinal).Count() != failed.Count || !failed.SequenceEqual(failed.Order(StringComparer.Ordinal)))
            cluster.Trace.Violate($"the failed nodes of {key} are {string.Join(", ", failed)}, and their number {status.Failed}");
        var reported = images.Count == 0 ? 0 : images.Max(image => nodeImages.Successes(job.Metadata.Uid!, image));
        if (status.Succeeded > reported) cluster.Trace.Violate($"{key} counts {status.Succeeded} nodes as succeeded, and {reported} reported so");
    }

    private void CheckCompletion(ObjectMeta metadata, DateTimeOffset? completionTime)
    {
        if (_completed.TryGetValue(metadata.Uid!, out var known) && completionTime != known)
            cluster.Trace.Violate($"the completion of {ObjectKey.Of(metadata)} was {known} and is {completionTime}");
        if (completionTime is { } completed) _completed[metadata.Uid!] = completed;
    }

    /// <summary>A copy that was written just now may be another's that the finalizer's remover could not know of; it goes at once.</summary>
    private void CheckCopies(string jobKey)
    {
        foreach (var copy in cluster.Server.Objects(Resources.Secrets).Where(secret => secret.Metadata.Namespace == SecretCopy.DefaultNamespace))
            if (SecretCopy.References(copy).Contains(jobKey) && cluster.Schedule.Now - _copyWritten.GetValueOrDefault(copy.Metadata.Uid!) > Network.Settled)
                cluster.Trace.Violate($"{jobKey} is gone and the copy {copy.Metadata.Name} still names it");
    }
}
