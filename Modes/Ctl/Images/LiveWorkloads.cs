using System.Text.Json;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>A workload that "--from" names: KIND/NAME with kubectl's words for the kinds.</summary>
public sealed record WorkloadName(CtlKind<RawObject> Kind, string Name)
{
    private static readonly (CtlKind<RawObject> Kind, string[] Words)[] Kinds =
    [
        (Of("apps", "Deployment"), ["deployment", "deployments", "deploy"]),
        (Of("apps", "StatefulSet"), ["statefulset", "statefulsets", "sts"]),
        (Of("apps", "DaemonSet"), ["daemonset", "daemonsets", "ds"]),
        (Of("apps", "ReplicaSet"), ["replicaset", "replicasets", "rs"]),
        (Of("batch", "Job"), ["job", "jobs"]),
        (Of("batch", "CronJob"), ["cronjob", "cronjobs", "cj"]),
        (Of("", "Pod"), ["pod", "pods", "po"]),
        (Of("", "ReplicationController"), ["replicationcontroller", "replicationcontrollers", "rc"]),
    ];

    public const string Description = "A workload of the cluster whose images are pulled onto the nodes that its pods may come to: deployment, statefulset, "
        + "daemonset, replicaset, job, cronjob or pod; may be repeated.";

    public static WorkloadName Parse(string text)
    {
        if (text.Split('/') is not [var word, var name]) throw CommandException.Usage($"--from \"{text}\": write KIND/NAME, such as deployment/web");
        var dot = word.IndexOf('.', StringComparison.Ordinal);
        var noun = (dot < 0 ? word : word[..dot]).ToLowerInvariant();
        var found = Array.Find(Kinds, kind => kind.Words.Contains(noun));
        if (found.Kind is null || (dot >= 0 && word[(dot + 1)..] is var group && group != found.Kind.Resource.Group && group != $"v1.{found.Kind.Resource.Group}"))
        {
            var near = Nearest.To(noun, Kinds.SelectMany(kind => kind.Words));
            throw CommandException.Usage($"--from \"{text}\": {(near is null ? $"choose one of {string.Join(", ", Kinds.Select(kind => kind.Words[0]))}" : $"did you mean {near}/{name}?")}");
        }
        return Crds.Validation.IsObjectName(name) ? new(found.Kind, name) : throw CommandException.Usage($"--from \"{text}\": that is not the name of a {found.Words[0]}");
    }

    private static CtlKind<RawObject> Of(string group, string kind) => new(
        new(group, "v1", $"{kind.ToLowerInvariant()}s", true, CtlJson.Default.RawObject, CtlJson.Default.ObjectListRawObject), kind, kind.ToLowerInvariant());
}

/// <summary>Reads workloads of the cluster, and the pull secrets that their ServiceAccounts give to their pods.</summary>
public sealed class LiveWorkloads(Cluster cluster, Action<string> note)
{
    private static readonly Resource<RawObject> ServiceAccounts =
        new("", "v1", "serviceaccounts", true, CtlJson.Default.RawObject, CtlJson.Default.ObjectListRawObject);

    public async Task<Workload> Read(WorkloadName name, CancellationToken cancellationToken)
    {
        var json = (await cluster.Get(name.Kind, name.Kind.Resource, name.Name, cancellationToken).ConfigureAwait(false)).Json;
        var spec = json.At("spec");
        if (name.Kind.Kind != "Pod") spec = json.At("spec", "template", "spec") ?? json.At("spec", "jobTemplate", "spec", "template", "spec");
        if (spec is not { } podSpec) throw CommandException.Failed($"{name.Kind.Noun}/{name.Name} has no pod template");
        var workload = new Workload("", name.Kind.Kind, name.Name, cluster.Namespace, name.Kind.Kind == "Pod" ? WithoutNode(podSpec) : podSpec, Workload.SecretsOf(podSpec));
        return workload.Secrets.Count > 0 ? workload : workload with { Secrets = await Secrets(workload, cancellationToken).ConfigureAwait(false) };
    }

    /// <summary>Where a pod runs its images are; the next one may come to any node that its labels allow.</summary>
    private static JsonElement WithoutNode(JsonElement podSpec)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var field in podSpec.EnumerateObject().Where(field => field.Name != "nodeName")) field.WriteTo(writer);
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    private async Task<IReadOnlyList<string>> Secrets(Workload workload, CancellationToken cancellationToken)
    {
        var answer = await cluster.Client.Get(ServiceAccounts, cluster.Namespace, workload.ServiceAccount, cancellationToken).ConfigureAwait(false);
        if (answer.IsOk) return Workload.SecretsOf(answer.Value!.Json);
        // Without its account a pod has no secrets of it; that one may not look is another matter.
        if (answer.Error != ApiError.NotFound) note($"{workload.Title}: the pull secrets of its service account \"{workload.ServiceAccount}\" are not known: {answer.Message}");
        return [];
    }
}
