using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Reconcile.ImageListPullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Parts;

namespace KruiseImage.Sim.Checks;

/// <summary>What must be true once the faults are over and everything had its time: nothing waits for ever, nothing is left over.</summary>
internal sealed class Rest(Cluster cluster)
{
    /// <summary>How long something may be there after its time before it counts as left over.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(2);

    private DateTimeOffset Now => cluster.WallClock - cluster.LargestSkew - Slack;

    private List<ImagePullJob> Jobs => [.. cluster.Server.Objects(Resources.ImagePullJobs)];

    /// <summary>Sentences; none when all is as it should be.</summary>
    public IEnumerable<string> Unmet() => Nodes().Concat(Jobs.SelectMany(Job)).Concat(Lists()).Concat(Entries()).Concat(Leases()).Concat(Copies());

    private IEnumerable<string> Nodes()
    {
        foreach (var node in cluster.Server.Objects(Resources.Nodes))
        {
            var nodeImage = cluster.Server.Find(Resources.NodeImages, null, node.Metadata.Name!);
            if (nodeImage is null) yield return $"{node.Metadata.Name} has no NodeImage";
            else if (!Labels.Same(node.Metadata.Labels, nodeImage.Metadata.Labels)) yield return $"the labels of {node.Metadata.Name} and its NodeImage differ";
            else if (nodeImage.Metadata.OwnerReferences?.Exists(owner => owner.Uid == node.Metadata.Uid) != true) yield return $"the NodeImage {node.Metadata.Name} is not of its Node";
        }

        foreach (var nodeImage in cluster.Server.Objects(Resources.NodeImages))
            if (cluster.Server.Find(Resources.Nodes, null, nodeImage.Metadata.Name!) is null) yield return $"the NodeImage {nodeImage.Metadata.Name} has no Node";
    }

    private IEnumerable<string> Job(ImagePullJob job)
    {
        var key = ObjectKey.Of(job.Metadata);
        if (job.Metadata.DeletionTimestamp is not null) yield return $"{key} is still being deleted";
        if (job.Status?.ObservedGeneration != job.Metadata.Generation && job.Status?.CompletionTime is null) yield return $"{key}: the last edit was not seen";
        if (Validation.ImagePullJob(job.Spec) is not null)
        {
            if (job.Status?.Conditions?.Exists(condition => condition is { Type: JobCondition.Invalid, Status: "True" }) != true) yield return $"{key} is not called invalid";
            yield break;
        }

        if (job.Status?.CompletionTime is { } completed)
        {
            if (job.Spec.CompletionPolicy?.TtlSecondsAfterFinished is { } ttl && completed + TimeSpan.FromSeconds(ttl) < Now) yield return $"{key} is there after its TTL";
        }
        else if (!Defaults.CompletesNever(job.Spec.CompletionPolicy))
        {
            yield return $"{key} has not ended: {job.Status?.Message}, {job.Status?.Active} active, {job.Status?.Waiting} waiting";
        }
        else if (job.Status?.Active > 0)
        {
            yield return $"{key} (which never completes) still has {job.Status.Active} active";
        }
    }

    private IEnumerable<string> Lists()
    {
        foreach (var list in cluster.Server.Objects(Resources.ImageListPullJobs))
        {
            var key = ObjectKey.Of(list.Metadata);
            var isFinished = list.Status?.CompletionTime is not null;
            if (!isFinished && !Defaults.CompletesNever(list.Spec.CompletionPolicy)) yield return $"the list {key} has not ended";
            if (isFinished) continue;
            var template = new ChildTemplate(list);
            var images = Jobs.Where(job => job.Metadata.OwnerReferences?.Exists(owner => owner.Uid == list.Metadata.Uid) == true && template.IsOf(job)).Select(job => job.Spec.Image);
            if (!images.Order(StringComparer.Ordinal).SequenceEqual((list.Spec.Images ?? []).Order(StringComparer.Ordinal))) yield return $"the jobs of list {key} are of other images";
        }
    }

    private IEnumerable<string> Entries()
    {
        var jobs = Jobs.ToDictionary(job => job.Metadata.Uid!);
        foreach (var nodeImage in cluster.Server.Objects(Resources.NodeImages))
        {
            foreach (var (key, entry) in NodeImageChecks.Entries(nodeImage))
            {
                var name = $"{key} on {nodeImage.Metadata.Name}";
                foreach (var owner in entry.OwnerReferences ?? [])
                    if (owner.Kind == nameof(ImagePullJob) && !jobs.ContainsKey(owner.Uid ?? "")) yield return $"{name} is owned by {owner.Name}, which is gone";
                var answer = nodeImage.Status.FindAnswer(key.Image, key.Tag, entry.Version ?? 0);
                if (answer is null || !PullPhase.IsFinished(answer.Phase)) yield return $"{name} is not done: {answer?.Phase} {answer?.Reason}";
                else if (OwnersAreDone(entry, jobs) && HasExpired(entry, answer)) yield return $"{name} is there after its TTL";
            }

            foreach (var (image, statuses) in nodeImage.Status?.ImageStatuses ?? [])
                foreach (var status in statuses.Tags ?? [])
                    if (nodeImage.FindEntry(image, status.Tag!) is null) yield return $"the status of {image}:{status.Tag} on {nodeImage.Metadata.Name} answers nothing";
        }
    }

    /// <summary>Every entry is done, so nobody needs the bytes of a pull that was cut off.</summary>
    private IEnumerable<string> Leases() => from machine in cluster.Machines.Values from lease in machine.Leases select $"the lease of {lease} on {machine.Name} is left over";

    private static bool OwnersAreDone(ImageTagSpec entry, Dictionary<string, ImagePullJob> jobs) =>
        (entry.OwnerReferences ?? []).All(owner => owner.Kind != nameof(ImagePullJob) || jobs.GetValueOrDefault(owner.Uid ?? "")?.Status?.CompletionTime is not null);

    private bool HasExpired(ImageTagSpec entry, ImageTagStatus answer) =>
        answer.CompletionTime + TimeSpan.FromSeconds((entry.PullPolicy?.TtlSecondsAfterFinished ?? 0) * 1.05) < Now;

    private IEnumerable<string> Copies()
    {
        foreach (var copy in cluster.Server.Objects(Resources.Secrets).Where(secret => secret.Metadata.Namespace == SecretCopy.DefaultNamespace))
        {
            var users = SecretCopy.References(copy);
            if (users.Length == 0) yield return $"the copy {copy.Metadata.Name} is for nobody";
            foreach (var user in users)
                if (!Jobs.Exists(job => ObjectKey.Of(job.Metadata) == user)) yield return $"the copy {copy.Metadata.Name} names {user}, which is gone";
            var (@namespace, name) = ObjectKey.Split(SecretCopy.SourceKey(copy) ?? "");
            var source = cluster.Server.Find(Resources.Secrets, @namespace, name);
            var isFollowed = Jobs.Exists(job => users.Contains(ObjectKey.Of(job.Metadata)) && job.Status?.CompletionTime is null);
            if (isFollowed && source is not null && !source.Data!.OrderBy(pair => pair.Key).SequenceEqual(copy.Data!.OrderBy(pair => pair.Key)))
                yield return $"the copy {copy.Metadata.Name} is of a former secret";
        }
    }
}
