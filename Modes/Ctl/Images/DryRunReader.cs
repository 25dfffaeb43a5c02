using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>
/// Reads what a dry run is computed from: nodes, NodeImages, pods, secrets, registries, kubelets. Whatever one may not read, or does not
/// answer, is a reason and no end. It writes nothing anywhere.
/// </summary>
public sealed class DryRunReader(Cluster cluster, RegistryClient registry, Action<string> note)
{
    private const int RegistriesAtOnce = 4;
    private const int KubeletsAtOnce = 8;

    /// <summary>More nodes than these are not asked one by one.</summary>
    private const int MaxKubelets = 200;

    private static readonly TimeSpan KubeletPatience = TimeSpan.FromSeconds(5);

    private List<DryRunNode>? _nodes;
    private bool _isRead;

    /// <summary>The nodes that the draft means; null when nobody may tell us.</summary>
    public async Task<IReadOnlyList<DryRunNode>?> NodesOf(PullDraft draft, CancellationToken cancellationToken)
    {
        if (!_isRead) _nodes = await ReadNodes(cancellationToken).ConfigureAwait(false);
        _isRead = true;
        if (_nodes is null) return null;
        if (draft.Template.PodSelector is { } pods) return await NodesOfPods(draft, pods, cancellationToken).ConfigureAwait(false);
        var selector = draft.Template.Selector;
        if (selector?.Names is { Count: > 0 } names)
        {
            foreach (var name in names.Where(name => !_nodes.Exists(node => node.Name == name))) note($"there is no node \"{name}\": it would fail");
            return [.. _nodes.Where(node => names.Contains(node.Name))];
        }
        return LabelSelector.TryCompile(selector?.MatchLabels, selector?.MatchExpressions, out var labels, out var error)
            ? [.. _nodes.Where(node => labels.Matches(node.Labels))] : throw CommandException.Usage(error);
    }

    /// <summary>By the text of each image.</summary>
    public async Task<Dictionary<string, RemoteImage>> Registries(
        IReadOnlyList<PullDraft> drafts, IReadOnlyCollection<Platform> platforms, CancellationToken cancellationToken)
    {
        var remote = new Dictionary<string, RemoteImage>(StringComparer.Ordinal);
        var local = DockerConfigFile();
        foreach (var draft in drafts)
        {
            var credentials = await SecretsOf(draft, cancellationToken).ConfigureAwait(false);
            credentials.AddRange(local);
            await Parallel.ForEachAsync(draft.Images, new ParallelOptions { MaxDegreeOfParallelism = RegistriesAtOnce, CancellationToken = cancellationToken }, async (text, stop) =>
            {
                if (!ImageReference.TryParse(text, out var image, out _)) return;
                var answer = await registry.Read(image, RegistryKeyring.Lookup(image.CanonicalName, credentials), platforms, stop).ConfigureAwait(false);
                // Another namespace's secrets may open what those of the first did not.
                lock (remote)
                    if (!remote.TryGetValue(text, out var known) || known.WhyUnknown is not null) remote[text] = answer;
            }).ConfigureAwait(false);
        }
        return remote;
    }

    public async Task<Dictionary<string, DiskRoom>> Rooms(IReadOnlyList<string> nodes, CancellationToken cancellationToken)
    {
        var rooms = new Dictionary<string, DiskRoom>(StringComparer.Ordinal);
        if (nodes.Count > MaxKubelets) return nodes.ToDictionary(node => node, _ => new DiskRoom(null, $"of more than {MaxKubelets} nodes none is asked for its disk"));
        DiskRoom? refused = null;
        await Parallel.ForEachAsync(nodes, new ParallelOptions { MaxDegreeOfParallelism = KubeletsAtOnce, CancellationToken = cancellationToken }, async (node, stop) =>
        {
            // Who may not ask one kubelet may not ask any.
            var room = refused;
            if (room is null)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                patience.CancelAfter(KubeletPatience);
                room = await Room(node, patience.Token, stop).ConfigureAwait(false);
                if (room.Why.StartsWith(NotAllowed, StringComparison.Ordinal)) refused = room;
            }
            lock (rooms) rooms[node] = room;
        }).ConfigureAwait(false);
        return rooms;
    }

    private const string NotAllowed = "you may not ask the kubelet";

    private async Task<DiskRoom> Room(string node, CancellationToken patience, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await cluster.Client.Get(KubeletStats.ResourceOf(node), null, KubeletStats.Name, patience).ConfigureAwait(false);
            if (answer.Error == ApiError.Forbidden) return new(null, $"{NotAllowed} (nodes/proxy)");
            if (!answer.IsOk) return new(null, answer.Message.Length > 0 ? answer.Message : "the kubelet does not answer");
            return answer.Value!.AvailableBytes is { } bytes ? new(bytes) : new(null, "the kubelet does not say");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, $"the kubelet does not answer within {KubeletPatience.TotalSeconds:0} s");
        }
    }

    private async Task<List<DryRunNode>?> ReadNodes(CancellationToken cancellationToken)
    {
        var nodeImages = await ListAll(Resources.NodeImages, new(), cancellationToken).ConfigureAwait(false);
        var nodes = await ListAll(NodeFacts.Resource, new(), cancellationToken).ConfigureAwait(false);
        var byName = nodeImages?.ToDictionary(node => node.Metadata.Name ?? "", StringComparer.Ordinal);
        if (nodes is not null) return [.. nodes.Select(node => new DryRunNode(node.Metadata.Name ?? "", node.Metadata.Labels, node, byName?.GetValueOrDefault(node.Metadata.Name ?? "")))];
        return nodeImages is null ? null : [.. nodeImages.Select(node => new DryRunNode(node.Metadata.Name ?? "", node.Metadata.Labels, null, node))];
    }

    private async Task<IReadOnlyList<DryRunNode>?> NodesOfPods(PullDraft draft, PodSelector selector, CancellationToken cancellationToken)
    {
        if (!LabelSelector.TryCompile(selector, out var labels, out var error)) throw CommandException.Usage(error);
        var pods = await ListAll(Resources.Pods, new() { Namespace = draft.Metadata.Namespace, LabelSelector = labels.ToString() }, cancellationToken).ConfigureAwait(false);
        var names = pods?.Where(pod => pod.IsActive).Select(pod => pod.Spec!.NodeName!).ToHashSet(StringComparer.Ordinal);
        return names is null ? null : [.. _nodes!.Where(node => names.Contains(node.Name))];
    }

    /// <summary>Null, and a note, when one may not; any other refusal ends the command.</summary>
    private async Task<List<T>?> ListAll<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var probe = await cluster.Client.List(resource, query with { Limit = 1 }, cancellationToken).ConfigureAwait(false);
        if (probe.Error is not (ApiError.Forbidden or ApiError.NotFound)) return await cluster.List(resource, resource.Plural, query, cancellationToken).ConfigureAwait(false);
        note($"{resource.Plural} are not known: {probe.Message}");
        return null;
    }

    private async Task<List<LocatedCredential>> SecretsOf(PullDraft draft, CancellationToken cancellationToken)
    {
        var credentials = new List<LocatedCredential>();
        foreach (var name in draft.Template.PullSecrets ?? [])
        {
            var answer = await cluster.Client.Get(Resources.Secrets, draft.Metadata.Namespace, name, cancellationToken).ConfigureAwait(false);
            if (!answer.IsOk) note($"pull secret \"{name}\" is not known: {answer.Message}");
            else credentials.AddRange(DockerConfig.Read(answer.Value!).Credentials);
        }
        return credentials;
    }

    /// <summary>What docker login wrote here. Credential helpers are not run.</summary>
    private static IReadOnlyList<LocatedCredential> DockerConfigFile()
    {
        var directory = Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } set ? set : Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/", ".docker");
        try
        {
            var json = File.ReadAllText(Path.Combine(directory, "config.json"));
            return DockerConfig.Read(new() { Data = new() { [".dockerconfigjson"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(json)) } }).Credentials;
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return []; // most machines have none
        }
    }
}
