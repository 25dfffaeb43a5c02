using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;
using KruiseImage.Sim.Engine;
using KruiseImage.Sim.Parts;

namespace KruiseImage.Sim.Checks;

/// <summary>One writer per field (ARCHITECTURE.md, "Who writes what"), and no write when nothing changed.</summary>
internal sealed class WriterChecks(Cluster cluster)
{
    private string _leader = "";

    /// <summary>Writes of the product that changed nothing.</summary>
    public int Idle { get; private set; }

    /// <summary>Writes of the product that changed something, leases and events not counted.</summary>
    public int Writes { get; private set; }

    /// <summary>
    /// Those of them that say how a job or list stands which never completes. A new leader counts anew from what the NodeImages say, and where
    /// another job had the same image pulled again, that is not what this job's round came to.
    /// </summary>
    public int Recounts { get; private set; }

    /// <summary>Only the leader sends writes. One that was on its way when the lease changed hands may still arrive.</summary>
    public void OnSending(Host host, string plural)
    {
        if (plural is "leases" or "events" || !host.Name.StartsWith("controller", StringComparison.Ordinal) || host.Name == _leader) return;
        cluster.Trace.Violate($"{host.Name} sends a write of {plural}, and {_leader} leads");
    }

    public void OnWritten(SimWrite write)
    {
        if (write is { Plural: "leases", After: not null }) _leader = write.After.Read(Resources.Leases).Spec.HolderIdentity ?? "";
        var isController = write.Actor.StartsWith("controller", StringComparison.Ordinal);
        if (!isController && !write.Actor.StartsWith("daemon", StringComparison.Ordinal)) return;
        if (!write.Changed) Idle++;
        else if (write.Plural is not ("leases" or "events"))
        {
            Writes++;
            if (IsOfEndless(write)) Recounts++;
        }

        if (!(isController ? MayController(write) : MayDaemon(write))) cluster.Trace.Violate($"{write.Actor} may not {write.Verb} {write.Plural}/{write.Subresource} {write.Key}");
    }

    private static bool IsOfEndless(SimWrite write) => write is { Subresource: "status", After: not null } && write.Plural switch
    {
        "imagepulljobs" => Defaults.CompletesNever(write.After.Read(Resources.ImagePullJobs).Spec.CompletionPolicy),
        "imagelistpulljobs" => Defaults.CompletesNever(write.After.Read(Resources.ImageListPullJobs).Spec.CompletionPolicy),
        _ => false,
    };

    private static bool MayController(SimWrite write) => (write.Plural, write.Subresource, write.Verb) switch
    {
        ("leases" or "events", null, _) => true,
        ("nodeimages", null, "create" or "delete") => true,
        ("nodeimages", null, "patch") => JsonEquality.Same(
            write.Before?.Read(Resources.NodeImages).Status, write.After?.Read(Resources.NodeImages).Status, CrdJson.Default.NodeImageStatus),
        ("imagepulljobs" or "imagelistpulljobs", null, "delete") => true,
        ("imagepulljobs", null, "create") => write.After!.Read(Resources.ImagePullJobs).Metadata.OwnerReferences is [{ Kind: nameof(ImageListPullJob) }],
        ("imagepulljobs", null, "patch") => write.After is null || JsonEquality.Same(
            write.Before?.Read(Resources.ImagePullJobs).Spec, write.After.Read(Resources.ImagePullJobs).Spec, CrdJson.Default.ImagePullJobSpec),
        ("imagepulljobs" or "imagelistpulljobs", "status", "patch") => true,
        ("secrets", null, "create" or "patch" or "delete") => write.Key.StartsWith(SecretCopy.DefaultNamespace + "/", StringComparison.Ordinal),
        _ => false,
    };

    private static bool MayDaemon(SimWrite write) => (write.Plural, write.Subresource, write.Verb) switch
    {
        ("events", null, "create" or "patch") => true,
        ("nodeimages", "status", "patch") => write.Actor == $"daemon-{write.Key}",
        _ => false,
    };
}
