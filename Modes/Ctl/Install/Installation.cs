using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>What install and upgrade were asked for.</summary>
public sealed record InstallOrder(IReadOnlyList<Manifest> Manifests)
{
    /// <summary>The server says what would change; nothing does.</summary>
    public bool DryRun { get; init; }

    /// <summary>What "ctl install" once put there and these manifests do not have goes.</summary>
    public bool Prune { get; init; }

    /// <summary>Over a newer version, or one that Helm manages.</summary>
    public bool Force { get; init; }

    /// <summary>Fields that others set become ours.</summary>
    public bool ForceConflicts { get; init; }

    /// <summary>OpenKruise's, which a CRD of ours cannot have.</summary>
    public bool RemoveConversionWebhook { get; init; }

    /// <summary>For the new pods; null: not at all.</summary>
    public TimeSpan? Wait { get; init; }
}

/// <summary>
/// Brings manifests into a cluster by server-side apply, one line for each object, and waits until the CRDs are served before it
/// goes on to what needs them. Called by "ctl install" and "ctl upgrade". It goes on after an object that the server refuses, so that
/// one run names everything that is wrong. It deletes only when asked to prune, and only what it applied itself.
/// </summary>
public sealed class Installation(IKubeClient client, TextWriter output, TextWriter error, TimeProvider clock)
{
    private static readonly TimeSpan EstablishedDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EstablishedPoll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RolloutPoll = TimeSpan.FromSeconds(1);
    private static readonly byte[] NoWebhook = """{"spec":{"conversion":{"strategy":"None","webhook":null}}}"""u8.ToArray();

    /// <summary>Set by the first refusal of a rule: from then on CRDs go without.</summary>
    private bool _knowsRules = true;

    /// <summary>False when the server refused something; each refusal has its own sentence on <c>error</c>.</summary>
    public async Task<bool> Run(InstallOrder order, CancellationToken cancellationToken)
    {
        await RefuseOver(order, cancellationToken).ConfigureAwait(false);
        var done = true;
        var crds = order.Manifests.Where(manifest => manifest.Kind == ManifestResource.CustomResourceDefinition).ToList();
        foreach (var crd in crds) done &= await Apply(crd, order, cancellationToken).ConfigureAwait(false);
        if (!done) return false;
        if (!order.DryRun) foreach (var crd in crds) done &= await Established(crd, cancellationToken).ConfigureAwait(false);
        if (!done) return false;
        foreach (var manifest in order.Manifests.Except(crds)) done &= await Apply(manifest, order, cancellationToken).ConfigureAwait(false);
        if (order.Prune && done) done = await Prune(order, cancellationToken).ConfigureAwait(false);
        if (order.Wait is { } deadline && done && !order.DryRun)
        {
            var started = clock.GetTimestamp();
            foreach (var workload in order.Manifests.Where(manifest => manifest.Kind is ManifestResource.Deployment or ManifestResource.DaemonSet))
                done &= await RolledOut(workload, deadline - clock.GetElapsedTime(started), deadline, cancellationToken).ConfigureAwait(false);
        }

        return done;
    }

    /// <summary>What is there already may be newer, or somebody else's to change.</summary>
    private async Task RefuseOver(InstallOrder order, CancellationToken cancellationToken)
    {
        if (order.Force) return;
        foreach (var manifest in order.Manifests.Where(manifest => manifest.Version is not null))
        {
            var before = await client.Get(ManifestResource.Of(manifest), manifest.Namespace, manifest.Name, cancellationToken).ConfigureAwait(false);
            if (!before.IsOk) continue; // Apply asks again, and says what is wrong
            if (LiveObject.IsOurs(before.Value!) && LiveObject.IsHelms(before.Value!))
                throw CommandException.Failed($"{manifest} was installed by Helm: use helm upgrade, or take it over with --force");
            if (LiveObject.VersionOf(before.Value!) is { } there && LiveObject.Number(manifest.Version) is { } ours && there > ours)
                throw CommandException.Failed($"{manifest} is of version {there}, this is {ours}: going back may lose fields that the newer one wrote; use its own executable, or --force");
        }
    }

    private async Task<bool> Apply(Manifest manifest, InstallOrder order, CancellationToken cancellationToken)
    {
        var resource = ManifestResource.Of(manifest);
        var before = await client.Get(resource, manifest.Namespace, manifest.Name, cancellationToken).ConfigureAwait(false);
        if (!before.IsOk && before.Error != ApiError.NotFound) return await Refused(manifest, before).ConfigureAwait(false);
        if (before.IsOk && manifest.Kind == ManifestResource.CustomResourceDefinition && LiveObject.HasConversionWebhook(before.Value!))
        {
            if (!await RemoveWebhook(manifest, order, cancellationToken).ConfigureAwait(false)) return false;
            if (order.DryRun) return true;
        }

        var after = await Patch(resource, manifest, order, cancellationToken).ConfigureAwait(false);
        if (_knowsRules && !after.IsOk && after.Message.Contains("x-kubernetes-validations", StringComparison.Ordinal))
        {
            _knowsRules = false;
            await output.WriteLineAsync("this API server is older than 1.25 and knows no CEL rules: the controller checks them in its place").ConfigureAwait(false);
            after = await Patch(resource, manifest, order, cancellationToken).ConfigureAwait(false);
        }

        var isMissingPlace = after.Error == ApiError.NotFound && after.Message.Contains($"namespaces \"{manifest.Namespace}\" not found", StringComparison.Ordinal);
        if (after.Error == ApiError.NotFound && ManifestResource.WhenMissing(manifest.Kind) is { } why && !isMissingPlace)
        {
            await output.WriteLineAsync($"{manifest} left out: {why}").ConfigureAwait(false);
            return true;
        }

        // In a dry run nobody has created the namespace.
        if (!after.IsOk && !(isMissingPlace && order.DryRun)) return await Refused(manifest, after).ConfigureAwait(false);
        var difference = before.IsOk && after.IsOk ? ObjectDifference.Sentence(before.Value!.Json, after.Value!.Json) : "";
        var verb = !before.IsOk ? "created" : difference.Length == 0 ? "unchanged" : "configured";
        await output.WriteLineAsync($"{manifest} {verb}{(order.DryRun ? " (dry run)" : "")}{(difference.Length > 0 ? $": {Harmless.Line(difference)}" : "")}").ConfigureAwait(false);
        return true;
    }

    private Task<ApiResult<RawObject>> Patch(Resource<RawObject> resource, Manifest manifest, InstallOrder order, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes((_knowsRules ? manifest : Manifests.WithoutRules(manifest)).Yaml);
        return client.Patch(resource, manifest.Namespace, manifest.Name, new(PatchKind.Apply, body) { DryRun = order.DryRun, Force = order.ForceConflicts }, cancellationToken);
    }

    private async Task<bool> RemoveWebhook(Manifest crd, InstallOrder order, CancellationToken cancellationToken)
    {
        if (!order.RemoveConversionWebhook)
        {
            var advice = "once OpenKruise no longer serves it, run this again with --remove-conversion-webhook (docs/migrating-from-openkruise.md)";
            await error.WriteLineAsync($"error: {crd}: a conversion webhook still stands in it, and the API server takes no CRD without one over it: {advice}").ConfigureAwait(false);
            return false;
        }

        var patched = await client.Patch(ManifestResource.Of(crd), null, crd.Name, new(PatchKind.Merge, NoWebhook) { DryRun = order.DryRun }, cancellationToken).ConfigureAwait(false);
        if (!patched.IsOk) return await Refused(crd, patched).ConfigureAwait(false);
        await output.WriteLineAsync($"{crd}: conversion webhook removed{(order.DryRun ? " (dry run)" : "")}").ConfigureAwait(false);
        return true;
    }

    private async Task<bool> Prune(InstallOrder order, CancellationToken cancellationToken)
    {
        var wanted = order.Manifests.Select(manifest => (manifest.Kind, manifest.Namespace, manifest.Name)).ToHashSet();
        foreach (var kind in ManifestResource.Removable.Reverse())
        {
            var resource = ManifestResource.Of(kind);
            var query = new ListQuery { LabelSelector = $"{LiveObject.NameLabel}={LiveObject.Product}" };
            var there = await client.List(resource, query, cancellationToken).ConfigureAwait(false);
            if (there.Error == ApiError.NotFound) continue; // a kind that this server does not have
            if (!there.IsOk) throw Cluster.Refusal(there.Error, $"what an earlier version left among the {resource.Plural} is not known: {there.Message}");
            foreach (var item in there.Value!.Items.Where(LiveObject.WasApplied))
            {
                if (wanted.Contains((kind, item.Metadata.Namespace, item.Metadata.Name!))) continue;
                var gone = order.DryRun ? default : await client.Delete(resource, item.Metadata.Namespace, item.Metadata.Name!, item.Metadata.Uid, cancellationToken).ConfigureAwait(false);
                if (!gone.IsOk && gone.Error != ApiError.NotFound) throw Cluster.Refusal(gone.Error, gone.Message);
                await output.WriteLineAsync($"{kind.ToLowerInvariant()}/{Harmless.Line(item.Metadata.Name!)} deleted{(order.DryRun ? " (dry run)" : "")}").ConfigureAwait(false);
            }
        }

        return true;
    }

    private async Task<bool> Established(Manifest crd, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var answer = await client.Get(ManifestResource.Of(crd), null, crd.Name, cancellationToken).ConfigureAwait(false);
            if (!answer.IsOk) return await Refused(crd, answer).ConfigureAwait(false);
            if (LiveObject.IsEstablished(answer.Value!)) return true;
            if (LiveObject.Complaint(answer.Value!) is { } complaint)
            {
                await error.WriteLineAsync($"error: {crd}: the API server does not serve it: {complaint}").ConfigureAwait(false);
                return false;
            }

            if (clock.GetElapsedTime(started) > EstablishedDeadline)
            {
                var hint = $"look at its conditions with kubectl describe crd {crd.Name}";
                await error.WriteLineAsync($"error: {crd}: not served after {EstablishedDeadline.TotalSeconds:0} seconds; {hint}").ConfigureAwait(false);
                return false;
            }

            await Task.Delay(EstablishedPoll, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> RolledOut(Manifest workload, TimeSpan left, TimeSpan whole, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var answer = await client.Get(ManifestResource.Of(workload), workload.Namespace, workload.Name, cancellationToken).ConfigureAwait(false);
            if (!answer.IsOk && answer.Error != ApiError.Unavailable) return await Refused(workload, answer).ConfigureAwait(false);
            var missing = answer.IsOk ? LiveObject.Missing(answer.Value!) : answer.Message;
            if (missing is null)
            {
                await output.WriteLineAsync($"{workload} rolled out").ConfigureAwait(false);
                return true;
            }

            if (clock.GetElapsedTime(started) >= left)
            {
                var hint = $"look with kubectl -n {workload.Namespace} describe {workload}";
                await error.WriteLineAsync($"error: {workload}: not rolled out after {DurationText.Short(whole)}: {missing}; {hint}").ConfigureAwait(false);
                return false;
            }

            await Task.Delay(RolloutPoll, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What concerns one object is said and left behind; what concerns the connection ends the command.</summary>
    private async Task<bool> Refused(Manifest manifest, ApiResult<RawObject> answer)
    {
        if (answer.Error == ApiError.Unavailable) throw CommandException.Unreachable($"{manifest}: {answer.Message}");
        if (answer.Error is ApiError.Unauthorized or ApiError.TooManyRequests) throw Cluster.Refusal(answer.Error, answer.Message);
        var why = answer.Error switch
        {
            ApiError.Forbidden => "you may not install it; ask for the role cluster-admin",
            ApiError.Conflict => "somebody else set fields of it: say the same with --set, or make them ours with --force-conflicts",
            ApiError.NotFound when manifest.ApiVersion.StartsWith("monitoring.", StringComparison.Ordinal) =>
                "the Prometheus Operator's CRDs are not there; install them, or leave metrics.serviceMonitor out",
            _ => "the API server refuses it",
        };
        await error.WriteLineAsync($"error: {manifest}: {why}: {Harmless.Line(answer.Message)}").ConfigureAwait(false);
        return false;
    }
}
