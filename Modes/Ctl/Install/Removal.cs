using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Install;

/// <param name="Crds">With all objects of their kinds.</param>
/// <param name="Timeout">For jobs and for pods to go.</param>
public sealed record RemovalOrder(bool DryRun, bool Crds, bool Force, TimeSpan Timeout);

/// <summary>
/// Takes an installation out of a cluster, one line for each object. Called by "ctl uninstall". Jobs go first, while the controller is
/// there to clean up behind them; then the controller and the daemons; then our finalizer, which nobody would take off any more; then
/// the rest, the namespaces last. It never deletes an object that does not say that it is ours, nor what OpenKruise shares with us.
/// </summary>
public sealed class Removal(IKubeClient client, RemovalOrder order, Terminal terminal, TimeProvider clock)
{
    private const int PageSize = 500;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <summary>Of all settings: what is there of them goes.</summary>
    private static readonly InstallValues Everything = InstallValues.Read(
        Settings.All.Where(setting => setting.Folder is not null).Select(setting => (setting.Name, "true")));

    private bool _isDone = true;

    public async Task<bool> Run(CancellationToken cancellationToken)
    {
        var openKruise = await OpenKruise.Find(client, cancellationToken).ConfigureAwait(false);
        if (!openKruise.IsOk && openKruise.Error != ApiError.NotFound) throw Cluster.Refusal(openKruise.Error, openKruise.Message);
        if (openKruise.IsOk && order is { Crds: true, Force: false })
            throw CommandException.Failed("OpenKruise runs in this cluster, and the CRDs are its own too: leave --crds out, or give --force to delete its jobs and NodeImages as well");

        var objects = await Find(openKruise.IsOk, cancellationToken).ConfigureAwait(false);
        if (objects.Find(item => LiveObject.IsHelms(item.Live)) is { Kind: { } kind, Live: { } helms } && !order.Force)
            throw CommandException.Failed($"{Name(kind, helms)} was installed by Helm: use helm uninstall, or --force");
        if (order.Crds) await RemoveJobs(cancellationToken).ConfigureAwait(false);
        var workloads = objects.Where(item => item.Kind is ManifestResource.Deployment or ManifestResource.DaemonSet).ToList();
        foreach (var (kindOfWorkload, workload) in workloads) await Delete(kindOfWorkload, workload, cancellationToken).ConfigureAwait(false);
        if (workloads.Count > 0 && !order.DryRun) await PodsGone(cancellationToken).ConfigureAwait(false);
        await ReleaseJobs(cancellationToken).ConfigureAwait(false);
        if (openKruise.IsOk) await RemoveCopies(cancellationToken).ConfigureAwait(false);
        foreach (var (kindOfRest, rest) in objects.Except(workloads)) await Delete(kindOfRest, rest, cancellationToken).ConfigureAwait(false);
        if (objects.Count == 0) terminal.Note("nothing of kruise-image is installed in this cluster");
        return _isDone;
    }

    /// <summary>What is there of this version's manifests, and of former ones what "ctl install" applied; the last installed first.</summary>
    private async Task<List<(string Kind, RawObject Live)>> Find(bool besideOpenKruise, CancellationToken cancellationToken)
    {
        var found = new List<(string Kind, RawObject Live)>();
        foreach (var manifest in Manifests.Read(Everything))
        {
            if (manifest.Kind == ManifestResource.CustomResourceDefinition && !order.Crds) continue;
            if (manifest.Name == SecretCopy.DefaultNamespace && besideOpenKruise) continue;
            var live = await client.Get(ManifestResource.Of(manifest), manifest.Namespace, manifest.Name, cancellationToken).ConfigureAwait(false);
            if (!live.IsOk && live.Error != ApiError.NotFound) throw Cluster.Refusal(live.Error, $"{manifest}: {live.Message}");
            // A CRD that OpenKruise brought does not say that it is ours: who asks for it all the same says --force.
            if (live.IsOk && (LiveObject.IsOurs(live.Value!) || (manifest.Kind == ManifestResource.CustomResourceDefinition && order.Force))) found.Add((manifest.Kind, live.Value!));
        }

        foreach (var kind in ManifestResource.Removable)
        {
            var query = new ListQuery { LabelSelector = $"{LiveObject.NameLabel}={LiveObject.Product}" };
            var there = await client.List(ManifestResource.Of(kind), query, cancellationToken).ConfigureAwait(false);
            if (!there.IsOk && there.Error != ApiError.NotFound) throw Cluster.Refusal(there.Error, there.Message);
            var former = there.Value?.Items.Where(item => LiveObject.WasApplied(item) && !found.Exists(known => known.Kind == kind && Key(known.Live) == Key(item)));
            found.AddRange(former?.Select(item => (kind, item)) ?? []);
        }

        // Namespaces after what lives in them, CRDs at the very end: both take along what is left.
        return [.. found.OrderByDescending(item => ManifestResource.Place(item.Kind))];
    }

    private async Task RemoveJobs(CancellationToken cancellationToken)
    {
        // Lists first: they would make their jobs again.
        await RemoveAll(Resources.ImageListPullJobs, "imagelistpulljob", cancellationToken).ConfigureAwait(false);
        await RemoveAll(Resources.ImagePullJobs, "imagepulljob", cancellationToken).ConfigureAwait(false);
        if (order.DryRun) return;
        await Until(async () => (await All(Resources.ImagePullJobs, null, cancellationToken).ConfigureAwait(false)).Count == 0, cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveAll<T>(Resource<T> resource, string noun, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        foreach (var item in await All(resource, null, cancellationToken).ConfigureAwait(false))
            await Delete(resource, $"{noun}/{item.Metadata.Namespace}/{item.Metadata.Name}", item.Metadata, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A controller that is still ending could put its finalizer on again.</summary>
    private async Task PodsGone(CancellationToken cancellationToken)
    {
        var query = new ListQuery { LabelSelector = $"{LiveObject.NameLabel}={LiveObject.Product},app.kubernetes.io/component=controller" };
        var isGone = await Until(async () => (await All(Resources.Pods, query, cancellationToken).ConfigureAwait(false)).Count == 0, cancellationToken).ConfigureAwait(false);
        if (!isGone) Complain($"the controller's pods still run after {DurationText.Short(order.Timeout)}: run this again when they are gone");
    }

    private async Task ReleaseJobs(CancellationToken cancellationToken)
    {
        foreach (var job in await All(Resources.ImagePullJobs, null, cancellationToken).ConfigureAwait(false))
        {
            // A job that is going is let go of as the controller would: OpenKruise's finalizer too, which nobody else takes off.
            var isGoing = job.Metadata.DeletionTimestamp is not null;
            var kept = job.Metadata.Finalizers?.Where(finalizer => isGoing ? !SecretCopy.IsGuard(finalizer) : finalizer != SecretCopy.Finalizer).ToList();
            if (kept is null || kept.Count == job.Metadata.Finalizers!.Count) continue;
            var name = $"imagepulljob/{job.Metadata.Namespace}/{job.Metadata.Name}";
            if (!order.DryRun)
            {
                var patch = JobFinalizersPatch.Write(job.Metadata.ResourceVersion!, kept);
                var patched = await client.Patch(Resources.ImagePullJobs, job.Metadata.Namespace, job.Metadata.Name!, new(PatchKind.Merge, patch), cancellationToken).ConfigureAwait(false);
                if (!patched.IsOk && patched.Error != ApiError.NotFound)
                {
                    Refused(name, patched.Error, patched.Message);
                    continue;
                }
            }

            terminal.Say($"{name} released: our finalizer is off{Dry}");
        }
    }

    /// <summary>Ours alone, by their names and marks: OpenKruise's copies live in the same namespace.</summary>
    private async Task RemoveCopies(CancellationToken cancellationToken)
    {
        var query = new ListQuery { Namespace = SecretCopy.DefaultNamespace, LabelSelector = SecretCopy.SourceUidLabel };
        foreach (var copy in await All(Resources.Secrets, query, cancellationToken).ConfigureAwait(false))
        {
            if (!SecretCopy.IsCopyName(copy.Metadata.Name)) continue;
            await Delete(Resources.Secrets, $"secret/{copy.Metadata.Namespace}/{copy.Metadata.Name}", copy.Metadata, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task Delete(string kind, RawObject live, CancellationToken cancellationToken) =>
        Delete(ManifestResource.Of(kind), Name(kind, live), live.Metadata, cancellationToken);

    private async Task Delete<T>(Resource<T> resource, string name, ObjectMeta metadata, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var gone = order.DryRun ? default : await client.Delete(resource, metadata.Namespace, metadata.Name!, metadata.Uid, cancellationToken).ConfigureAwait(false);
        if (gone.IsOk || gone.Error == ApiError.NotFound) terminal.Say($"{name} deleted{Dry}");
        else Refused(name, gone.Error, gone.Message);
    }

    /// <summary>None where the kind is not installed.</summary>
    private async Task<List<T>> All<T>(Resource<T> resource, ListQuery? query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        query = (query ?? new()) with { Limit = PageSize };
        var items = new List<T>();
        while (true)
        {
            var page = await client.List(resource, query, cancellationToken).ConfigureAwait(false);
            if (page.Error == ApiError.NotFound) return items;
            if (!page.IsOk) throw Cluster.Refusal(page.Error, page.Message);
            items.AddRange(page.Value!.Items);
            if (string.IsNullOrEmpty(page.Value.Metadata.Continue)) return items;
            query = query with { Continue = page.Value.Metadata.Continue };
        }
    }

    /// <summary>False when the time was over first.</summary>
    private async Task<bool> Until(Func<Task<bool>> holds, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (!await holds().ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(started) >= order.Timeout) return false;
            await Task.Delay(Poll, clock, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private void Refused(string name, ApiError error, string message)
    {
        if (error is ApiError.Unavailable or ApiError.Unauthorized or ApiError.TooManyRequests) throw Cluster.Refusal(error, message);
        Complain($"{name}: {message}");
    }

    private void Complain(string sentence)
    {
        _isDone = false;
        terminal.Note($"error: {sentence}");
    }

    private string Dry => order.DryRun ? " (dry run)" : "";

    private static string Key(RawObject item) => ObjectKey.Of(item.Metadata.Namespace, item.Metadata.Name!);

    private static string Name(string kind, RawObject live) =>
        $"{kind.ToLowerInvariant()}/{live.Metadata.Name}{(live.Metadata.Namespace is { } ns ? $" in {ns}" : "")}";
}
