using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>
/// Whether every node has a daemon that answers and a runtime that answers the daemon. Judged by NodeImages, which daemons write wherever
/// they run; pods, where there are any, say more. Pure.
/// </summary>
public static class DaemonChecks
{
    /// <summary>A daemon acknowledges an entry within a second; the controller gives it a minute (contract 3.7).</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(60);

    private const string Component = "daemon";
    private const string LookAtPods = $"kubectl get pods -n {ProductNames.Namespace} -l app.kubernetes.io/component=daemon -o wide";

    private const string LookAtLogs = $"see its log: kubectl logs -n {ProductNames.Namespace} -l app.kubernetes.io/component=daemon --prefix --tail 20";

    private enum Voice
    {
        /// <summary>Nothing is asked of it, or only since a moment ago.</summary>
        Idle,
        Answers,
        Silent,
    }

    public static IEnumerable<Finding> Coverage(DoctorFacts facts)
    {
        const string check = "daemons";
        if (facts.Nodes.Value is not { } nodes || facts.NodeImages.Value is not { } nodeImages)
        {
            yield return Finding.NotChecked(check, facts.Nodes.WhyNot ?? facts.NodeImages.WhyNot ?? "the cluster does not know NodeImages");
            yield break;
        }
        var images = nodeImages.ToDictionary(image => image.Metadata.Name ?? "", StringComparer.Ordinal);
        var pods = (facts.Pods.Value ?? []).Where(pod => pod.Component == Component && pod.Spec?.NodeName is not null).ToLookup(pod => pod.Spec!.NodeName!, StringComparer.Ordinal);
        var expectsPods = pods.Count > 0 || facts.Daemons.Value is not null;
        if (facts.Pods.WhyNot is { } why) yield return Finding.NotChecked(check, $"{why}; judged by NodeImages alone");

        var nodesToServe = nodes.Where(node => node.IsReady && node.Metadata.Labels?.GetValueOrDefault("kubernetes.io/os") is null or "linux").Select(node => node.Metadata.Name!).ToList();
        List<string> withoutImage = [], silent = [], withoutPod = [], unknown = [];
        var troubles = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var served = 0;
        foreach (var name in nodesToServe)
        {
            if (!images.TryGetValue(name, out var image)) withoutImage.Add(name);
            var voice = VoiceOf(image, facts.ServerNow);
            var ready = pods[name].Any(pod => pod.IsReady);
            if (voice == Voice.Silent) silent.Add(name);
            if (!ready && pods[name].Any()) Add(troubles, pods[name].Select(pod => pod.Trouble).FirstOrDefault(trouble => trouble is not null) ?? "it is not ready", name);
            else if (!ready && expectsPods && facts.Pods.Value is not null) withoutPod.Add(name);
            else if (!ready && voice == Voice.Idle && image is not null) unknown.Add(name);
            else if (voice != Voice.Silent && image is not null) served++;
        }

        if (withoutImage.Count > 0)
            yield return Finding.Problem(check, $"{Names.Of(withoutImage, "node")} has no NodeImage: no controller made one", "look at the controller first");
        if (silent.Count > 0)
            yield return Finding.Problem(
                check, $"no daemon answers on {Names.Of(silent, "node")}: an image that was asked for more than a minute ago has no answer", $"see whether it runs there: {LookAtPods}");
        if (withoutPod.Count > 0)
            yield return Finding.Problem(check, $"no daemon pod runs on {Names.Of(withoutPod, "node")}",
                $"see why: kubectl describe daemonset {ProductNames.Daemon} -n {ProductNames.Namespace}");
        foreach (var (trouble, names) in troubles)
            yield return Finding.Problem(check, $"the daemon's pod on {Names.Of(names, "node")}: {trouble}", LookAtLogs);
        if (unknown.Count > 0)
            yield return Finding.Warning(
                check, $"whether a daemon runs on {Names.Of(unknown, "node")} is not known: there is no pod, and no image was asked for",
                $"try it: kruise-image ctl pull IMAGE --nodes {unknown.Order(StringComparer.Ordinal).First()} --wait");
        if (served < nodesToServe.Count) yield break;
        yield return Finding.Ok(check, served switch
        {
            0 => "no node is ready, so none needs a daemon",
            1 => "the one ready node has a daemon that answers",
            _ => $"all {served} ready nodes have a daemon that answers",
        });
    }

    public static IEnumerable<Finding> Runtimes(DoctorFacts facts)
    {
        const string check = "runtimes";
        if (facts.NodeImages.Value is not { } nodeImages)
        {
            yield return Finding.NotChecked(check, facts.NodeImages.WhyNot ?? "the cluster does not know NodeImages");
            yield break;
        }
        var away = (from node in nodeImages
                    from entry in PullEntry.Of(node)
                    where entry.Answer?.Reason == PullReason.RuntimeUnavailable && !(PullPhase.IsFinished(entry.Phase) && IsOld(entry, facts.ServerNow))
                    group entry.Answer!.Message by node.Metadata.Name).ToList();
        if (away.Count == 0) yield return Finding.Ok(check, "no daemon misses its container runtime");
        else
            yield return Finding.Problem(check, $"the container runtime does not answer on {Names.Of([.. away.Select(node => node.Key!)], "node")}: {away[0].First()}",
                "start it, or name its socket in the DaemonSet's arguments: --runtime-endpoint=unix:///…");
    }

    /// <summary>The last time that the daemon of the node wrote of; null when it never did.</summary>
    internal static DateTimeOffset? LastSign(NodeImage node) =>
        (node.Status?.ImageStatuses?.Values.SelectMany(image => image.Tags ?? []) ?? []).Max(status => status.CompletionTime ?? status.StartTime);

    /// <summary>A failure of yesterday says nothing of today's runtime.</summary>
    private static bool IsOld(PullEntry entry, DateTimeOffset now) => now - (entry.Answer!.CompletionTime ?? now) > TimeSpan.FromMinutes(10);

    private static Voice VoiceOf(NodeImage? node, DateTimeOffset now)
    {
        if (node is null) return Voice.Idle;
        var entries = PullEntry.Of(node).ToList();
        if (entries.Exists(entry => entry.Answer is null && entry.Spec.CreatedAt is { } asked && now - asked > ResponseTimeout)) return Voice.Silent;
        return entries.Exists(entry => entry.Answer is not null) ? Voice.Answers : Voice.Idle;
    }

    private static void Add(SortedDictionary<string, List<string>> troubles, string trouble, string node)
    {
        if (!troubles.TryGetValue(trouble, out var nodes)) troubles[trouble] = nodes = [];
        nodes.Add(node);
    }
}
