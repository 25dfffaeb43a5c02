using System.Text;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Brings manifests into a cluster by server-side apply, one line for each object, and waits until the CRDs are served before it
/// goes on to what needs them. Called by "ctl install". It goes on after an object that the server refuses, so that one run names
/// everything that is wrong, and it never deletes anything.
/// </summary>
public sealed class Installation(IKubeClient client, TextWriter output, TextWriter error, TimeProvider clock)
{
    private static readonly TimeSpan EstablishedDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EstablishedPoll = TimeSpan.FromMilliseconds(200);

    /// <summary>Set by the first refusal of a rule: from then on CRDs go without.</summary>
    private bool _knowsRules = true;

    /// <summary>False when the server refused something; each refusal has its own sentence on <c>error</c>.</summary>
    public async Task<bool> Apply(IReadOnlyList<Manifest> manifests, CancellationToken cancellationToken)
    {
        var applied = true;
        var crds = manifests.Where(manifest => manifest.Kind == ManifestResource.CustomResourceDefinition).ToList();
        foreach (var crd in crds) applied &= await Apply(crd, cancellationToken).ConfigureAwait(false);
        if (!applied) return false;
        foreach (var crd in crds) applied &= await Established(crd, cancellationToken).ConfigureAwait(false);
        if (!applied) return false;
        foreach (var manifest in manifests.Except(crds)) applied &= await Apply(manifest, cancellationToken).ConfigureAwait(false);
        return applied;
    }

    private async Task<bool> Apply(Manifest manifest, CancellationToken cancellationToken)
    {
        var resource = ManifestResource.Of(manifest);
        var before = await client.Get(resource, manifest.Namespace, manifest.Name, cancellationToken).ConfigureAwait(false);
        if (!before.IsOk && before.Error != ApiError.NotFound) return await Refused(manifest, before).ConfigureAwait(false);

        var after = await Patch(resource, manifest, cancellationToken).ConfigureAwait(false);
        if (_knowsRules && !after.IsOk && after.Message.Contains("x-kubernetes-validations", StringComparison.Ordinal))
        {
            _knowsRules = false;
            await output.WriteLineAsync("this API server is older than 1.25 and knows no CEL rules: the controller checks them in its place").ConfigureAwait(false);
            after = await Patch(resource, manifest, cancellationToken).ConfigureAwait(false);
        }

        if (after.Error == ApiError.NotFound && manifest.Kind.StartsWith(ManifestResource.AdmissionPolicy, StringComparison.Ordinal))
        {
            await output.WriteLineAsync($"{manifest} left out: this API server is older than 1.30, so a daemon may write what concerns other nodes").ConfigureAwait(false);
            return true;
        }

        if (!after.IsOk) return await Refused(manifest, after).ConfigureAwait(false);
        var verb = !before.IsOk ? "created"
            : before.Value!.Metadata.ResourceVersion == after.Value!.Metadata.ResourceVersion ? "unchanged" : "configured";
        await output.WriteLineAsync($"{manifest} {verb}").ConfigureAwait(false);
        return true;
    }

    private Task<ApiResult<InstalledObject>> Patch(Resource<InstalledObject> resource, Manifest manifest, CancellationToken cancellationToken) =>
        client.Patch(resource, manifest.Namespace, manifest.Name, new(PatchKind.Apply, Body(manifest)), cancellationToken);

    private byte[] Body(Manifest manifest) => Encoding.UTF8.GetBytes((_knowsRules ? manifest : Manifests.WithoutRules(manifest)).Yaml);

    private async Task<bool> Established(Manifest crd, CancellationToken cancellationToken)
    {
        var resource = ManifestResource.Of(crd);
        var started = clock.GetTimestamp();
        while (true)
        {
            var answer = await client.Get(resource, null, crd.Name, cancellationToken).ConfigureAwait(false);
            if (!answer.IsOk) return await Refused(crd, answer).ConfigureAwait(false);
            if (answer.Value!.IsEstablished) return true;
            if (answer.Value.Complaint is { } complaint)
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

    /// <summary>What concerns one object is said and left behind; what concerns the connection ends the command.</summary>
    private async Task<bool> Refused(Manifest manifest, ApiResult<InstalledObject> answer)
    {
        if (answer.Error == ApiError.Unavailable) throw CommandException.Unreachable($"{manifest}: {answer.Message}");
        if (answer.Error is ApiError.Unauthorized or ApiError.TooManyRequests) throw Cluster.Refusal(answer.Error, answer.Message);
        var why = answer.Error == ApiError.Forbidden ? "you may not install it; ask for the role cluster-admin" : "the API server refuses it";
        await error.WriteLineAsync($"error: {manifest}: {why}: {answer.Message}").ConfigureAwait(false);
        return false;
    }
}
