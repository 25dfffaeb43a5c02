using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Why;

/// <summary>A pod of the daemon.</summary>
public sealed record DaemonPod(string Name, string Phase);

/// <summary>Since when a node is not Ready, and what the cluster says about it.</summary>
public sealed record NotReady(DateTimeOffset? Since, string Message);

/// <summary>
/// What helps to understand a reason and is not in the controller's books. All of it may be missing: who may not read it gets the reasons
/// without.
/// </summary>
/// <param name="ControllerTrouble">Why no controller is at work; null when one is, or nobody can tell.</param>
/// <param name="DaemonPods">By node; null when they may not be read.</param>
/// <param name="NotReady">By node, of some nodes.</param>
public sealed record WhyFacts(string? ControllerTrouble, IReadOnlyDictionary<string, DaemonPod>? DaemonPods, IReadOnlyDictionary<string, NotReady> NotReady)
{
    private const string DaemonLabels = "app.kubernetes.io/component=daemon,app.kubernetes.io/name=kruise-image";
    private const string LookAtPods = $"nothing goes on until one runs: kubectl get pods -n {ProductNames.Namespace}";

    /// <summary>Of so many nodes the condition is read: for more the table has no room.</summary>
    private const int MostNodes = 10;

    /// <summary>The clocks of this machine and the controller's may differ so much without anybody having noticed.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(15);

    /// <summary>Nodes with everything, as no cache has them.</summary>
    private static readonly Resource<RawObject> RawNodes = new("", "v1", "nodes", false, CtlJson.Default.RawObject, CtlJson.Default.ObjectListRawObject);

    public static WhyFacts None { get; } = new(null, null, new Dictionary<string, NotReady>());

    /// <param name="notReady">Nodes that are not Ready.</param>
    public static async Task<WhyFacts> Read(IKubeClient client, IEnumerable<string> notReady, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var lease = await client.Get(Resources.Leases, ProductNames.Namespace, ProductNames.Controller, cancellationToken).ConfigureAwait(false);
        var query = new ListQuery { Namespace = ProductNames.Namespace, LabelSelector = DaemonLabels };
        var pods = await client.List(Resources.Pods, query, cancellationToken).ConfigureAwait(false);
        var nodes = new Dictionary<string, NotReady>(StringComparer.Ordinal);
        foreach (var name in notReady.Take(MostNodes))
        {
            var node = await client.Get(RawNodes, null, name, cancellationToken).ConfigureAwait(false);
            if (node.IsOk && ReadyCondition(node.Value!.Json) is { } condition) nodes[name] = condition;
        }
        return new WhyFacts(Trouble(lease, now), pods.IsOk ? ByNode(pods.Value!.Items) : null, nodes);
    }

    /// <summary>Null when a controller leads, or when the lease may not be read.</summary>
    public static string? Trouble(ApiResult<Lease> lease, DateTimeOffset now)
    {
        if (lease.Error == ApiError.NotFound) return $"no controller has ever led here; {LookAtPods}";
        if (!lease.IsOk) return null;
        var spec = lease.Value!.Spec;
        if (string.IsNullOrEmpty(spec.HolderIdentity)) return $"no controller leads; the last one went {DurationText.Age(spec.RenewTime, now)} ago; {LookAtPods}";
        var silence = now - (spec.RenewTime ?? DateTimeOffset.MinValue);
        return silence > TimeSpan.FromSeconds(spec.LeaseDurationSeconds ?? 0) + ClockDifference
            ? $"the controller {spec.HolderIdentity} has not renewed its lease for {DurationText.Short(silence)}; {LookAtPods}"
            : null;
    }

    private static Dictionary<string, DaemonPod> ByNode(IEnumerable<Pod> pods)
    {
        var byNode = new Dictionary<string, DaemonPod>(StringComparer.Ordinal);
        foreach (var pod in pods.Where(pod => pod.Spec?.NodeName is not null)) byNode[pod.Spec!.NodeName!] = new(pod.Metadata.Name ?? "", pod.Status?.Phase ?? "");
        return byNode;
    }

    private static NotReady? ReadyCondition(JsonElement node)
    {
        foreach (var condition in node.Items("status", "conditions"))
        {
            if (condition.Text("type") != "Ready") continue;
            DateTimeOffset? since = DateTimeOffset.TryParse(condition.Text("lastTransitionTime"), out var at) ? at : null;
            return new NotReady(since, condition.Text("message") ?? "");
        }
        return null;
    }
}
