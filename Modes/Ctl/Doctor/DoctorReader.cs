using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>
/// Reads the facts, once and one page at a time. It reads only, and what it may not read becomes a fact that says so; only a server that
/// does not answer, or does not know us at all, ends the command.
/// </summary>
/// <param name="server">Its version and clock.</param>
public sealed class DoctorReader(IKubeClient client, Func<CancellationToken, Task<ApiResult<ServerInfo>>> server, string @namespace, TimeProvider clock)
{
    private const string KruiseSystem = "kruise-system";
    private const int PageSize = 500;

    /// <summary>More than that are not looked at one by one.</summary>
    private const int MostSecrets = 100;

    public async Task<DoctorFacts> Read(CancellationToken cancellationToken)
    {
        var version = await server(cancellationToken).ConfigureAwait(false);
        var now = clock.GetUtcNow();
        if (version.Error is ApiError.Unavailable or ApiError.Unauthorized) throw Cluster.Refusal(version.Error, version.Message);

        var everywhere = new ListQuery { Limit = PageSize };
        var jobs = await List(Resources.ImagePullJobs, everywhere, "list imagepulljobs in all namespaces", cancellationToken).ConfigureAwait(false);
        var ours = new ListQuery { Namespace = ProductNames.Namespace, LabelSelector = "app.kubernetes.io/name=kruise-image", Limit = PageSize };
        return new DoctorFacts
        {
            Now = now,
            Namespace = @namespace,
            Server = version.IsOk ? version.Value! : new Fact<ServerInfo>(null, version.Message),
            Crds = await Installed("crds/", cancellationToken).ConfigureAwait(false),
            Rbac = await Installed("rbac/", cancellationToken).ConfigureAwait(false),
            Policies = await Installed("policies/", cancellationToken).ConfigureAwait(false),
            Nodes = await List(Resources.Nodes, everywhere, "list nodes", cancellationToken).ConfigureAwait(false),
            NodeImages = await List(Resources.NodeImages, everywhere, "list nodeimages", cancellationToken).ConfigureAwait(false),
            Jobs = jobs,
            Pods = await List(DoctorResources.Pods, ours, $"list pods in namespace {ProductNames.Namespace}", cancellationToken).ConfigureAwait(false),
            Controller = await Get(DoctorResources.Deployments, ProductNames.Namespace, ProductNames.Controller, "read deployments", cancellationToken).ConfigureAwait(false),
            Daemons = await Get(DoctorResources.DaemonSets, ProductNames.Namespace, ProductNames.Daemon, "read daemonsets", cancellationToken).ConfigureAwait(false),
            Lease = await Get(Resources.Leases, ProductNames.Namespace, ProductNames.Controller, "read leases", cancellationToken).ConfigureAwait(false),
            OpenKruise = await OpenKruise(cancellationToken).ConfigureAwait(false),
            Secrets = await Secrets(jobs.Value ?? [], cancellationToken).ConfigureAwait(false),
            Access = await Access(cancellationToken).ConfigureAwait(false),
        };
    }

    private async Task<IReadOnlyList<Installed>> Installed(string folder, CancellationToken cancellationToken)
    {
        var installed = new List<Installed>();
        foreach (var ours in OurObject.In(folder))
        {
            var resource = ManifestResource.Of(ours.Kind);
            installed.Add(new(ours, await Get(resource, ours.Namespace, ours.Name, $"read {resource.Plural}", cancellationToken).ConfigureAwait(false)));
        }
        return installed;
    }

    private async Task<OpenKruiseFacts> OpenKruise(CancellationToken cancellationToken)
    {
        var webhooks = new List<Fact<RawObject>>();
        foreach (var kind in (string[])["mutating", "validating"])
        {
            var resource = ManifestResource.Of("admissionregistration.k8s.io/v1", $"{kind}webhookconfigurations", namespaced: false);
            webhooks.Add(await Get(resource, null, $"kruise-{kind}-webhook-configuration", $"read {resource.Plural}", cancellationToken).ConfigureAwait(false));
        }
        return new OpenKruiseFacts
        {
            Manager = await Get(DoctorResources.Deployments, KruiseSystem, "kruise-controller-manager", "read deployments of OpenKruise", cancellationToken).ConfigureAwait(false),
            Daemon = await Get(DoctorResources.DaemonSets, KruiseSystem, "kruise-daemon", "read daemonsets of OpenKruise", cancellationToken).ConfigureAwait(false),
            Webhooks = webhooks,
        };
    }

    private async Task<IReadOnlyDictionary<string, SecretFact>> Secrets(IReadOnlyList<ImagePullJob> jobs, CancellationToken cancellationToken)
    {
        var named = from job in jobs
                    where !JobState.IsOver(JobState.Of(job))
                    from name in job.Spec.PullSecrets ?? []
                    where Validation.IsObjectName(name)
                    group $"{job.Metadata.Namespace}/{job.Metadata.Name}" by (Namespace: job.Metadata.Namespace!, Name: name);
        var secrets = new Dictionary<string, SecretFact>(StringComparer.Ordinal);
        foreach (var secret in named.Take(MostSecrets))
        {
            var (place, name) = secret.Key;
            var source = await Get(Resources.Secrets, place, name, $"read secrets in namespace {place}", cancellationToken).ConfigureAwait(false);
            const string ofDaemons = SecretCopy.DefaultNamespace;
            var copy = await Get(Resources.Secrets, ofDaemons, SecretCopy.NameOf(place, name), $"read secrets in namespace {ofDaemons}", cancellationToken).ConfigureAwait(false);
            secrets[$"{place}/{name}"] = new SecretFact([.. secret], source, copy);
        }
        return secrets;
    }

    private async Task<IReadOnlyList<(string Deed, Fact<AccessReview> Answer)>> Access(CancellationToken cancellationToken)
    {
        (string Verb, string Resource, string? Namespace)[] deeds =
            [("create", "imagepulljobs", @namespace), ("watch", "imagepulljobs", @namespace), ("delete", "imagepulljobs", @namespace), ("list", "nodeimages", null)];
        var answers = new List<(string, Fact<AccessReview>)>();
        foreach (var (verb, resource, place) in deeds)
        {
            var question = new AccessReview { Spec = new() { ResourceAttributes = new() { Verb = verb, Group = Defaults.Group, Resource = resource, Namespace = place } } };
            var answer = await client.Create(DoctorResources.AccessReviews, question, cancellationToken).ConfigureAwait(false);
            answers.Add(($"{verb} {resource}{(place is null ? "" : $" in namespace \"{place}\"")}", answer.IsOk ? answer.Value! : new Fact<AccessReview>(null, answer.Message)));
        }
        return answers;
    }

    private async Task<Fact<T>> Get<T>(Resource<T> resource, string? place, string name, string deed, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var answer = await client.Get(resource, place, name, cancellationToken).ConfigureAwait(false);
        return answer.IsOk ? answer.Value! : answer.Error == ApiError.NotFound ? default : new Fact<T>(null, Why(answer.Error, answer.Message, deed));
    }

    private async Task<Fact<IReadOnlyList<T>>> List<T>(Resource<T> resource, ListQuery query, string deed, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var items = new List<T>();
        while (true)
        {
            var page = await client.List(resource, query, cancellationToken).ConfigureAwait(false);
            if (page.Error == ApiError.NotFound) return default; // the kind is not known
            if (!page.IsOk) return new Fact<IReadOnlyList<T>>(null, Why(page.Error, page.Message, deed));
            items.AddRange(page.Value!.Items);
            if (string.IsNullOrEmpty(page.Value.Metadata.Continue)) return new Fact<IReadOnlyList<T>>(items, null);
            query = query with { Continue = page.Value.Metadata.Continue };
        }
    }

    private static string Why(ApiError error, string message, string deed) => error == ApiError.Forbidden ? $"you may not {deed}" : message;
}
