using System.Text.Json.Serialization;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>A Deployment or DaemonSet, cut down to how many run and from which image.</summary>
public sealed record Workload : IKubeObject
{
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public WorkloadSpec? Spec { get; init; }
    public WorkloadStatus? Status { get; init; }

    [JsonIgnore]
    public IEnumerable<WorkloadContainer> Containers => Spec?.Template?.Spec?.Containers ?? [];
}

public sealed record WorkloadSpec
{
    public int? Replicas { get; init; }
    public WorkloadTemplate? Template { get; init; }
}

public sealed record WorkloadTemplate
{
    public ComponentPodSpec? Spec { get; init; }
}

public sealed record WorkloadStatus
{
    public int AvailableReplicas { get; init; }
    public int DesiredNumberScheduled { get; init; }
    public int NumberReady { get; init; }
}

/// <summary>A pod of ours, cut down to where it runs and how it fares.</summary>
public sealed record ComponentPod : IKubeObject
{
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public ComponentPodSpec? Spec { get; init; }
    public ComponentPodStatus? Status { get; init; }

    [JsonIgnore]
    public string? Component => Metadata.Labels?.GetValueOrDefault("app.kubernetes.io/component");

    [JsonIgnore]
    public bool IsReady => Status?.Conditions?.Exists(condition => condition is { Type: "Ready", Status: "True" }) ?? false;

    /// <summary>Why its container does not run, in the kubelet's words; null when it runs.</summary>
    [JsonIgnore]
    public string? Trouble => (Status?.ContainerStatuses ?? []).Select(TroubleOf).FirstOrDefault(trouble => trouble is not null);

    private static string? TroubleOf(ComponentContainerStatus status)
    {
        var ended = status.LastState?.Terminated ?? status.State?.Terminated;
        var before = ended is null ? "" : $"; it ended with code {ended.ExitCode}{(string.IsNullOrEmpty(ended.Message) ? "" : $": {ended.Message}")}";
        if (status.State?.Waiting is { Reason: not ("ContainerCreating" or "PodInitializing") } waiting)
            return $"{waiting.Reason}{(string.IsNullOrEmpty(waiting.Message) ? "" : $": {waiting.Message}")}{before}";
        return status.State?.Terminated is not null ? $"it does not run{before}" : null;
    }
}

public sealed record ComponentPodSpec
{
    public string? NodeName { get; init; }
    public List<WorkloadContainer>? Containers { get; init; }
}

public sealed record WorkloadContainer
{
    public string? Name { get; init; }
    public string? Image { get; init; }
    public List<string>? Args { get; init; }
}

public sealed record ComponentPodStatus
{
    public List<Condition>? Conditions { get; init; }
    public List<ComponentContainerStatus>? ContainerStatuses { get; init; }
}

public sealed record ComponentContainerStatus
{
    public string? Name { get; init; }
    public int RestartCount { get; init; }
    public ContainerState? State { get; init; }
    public ContainerState? LastState { get; init; }
}

public sealed record ContainerState
{
    public ContainerWaiting? Waiting { get; init; }
    public ContainerTerminated? Terminated { get; init; }
}

public sealed record ContainerWaiting
{
    public string? Reason { get; init; }
    public string? Message { get; init; }
}

public sealed record ContainerTerminated
{
    public int ExitCode { get; init; }
    public string? Message { get; init; }
}

/// <summary>SelfSubjectAccessReview: may I?</summary>
public sealed record AccessReview : IKubeObject
{
    public string ApiVersion { get; init; } = "authorization.k8s.io/v1";
    public string Kind { get; init; } = "SelfSubjectAccessReview";
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public AccessReviewSpec? Spec { get; init; }
    public AccessReviewStatus? Status { get; init; }
}

public sealed record AccessReviewSpec
{
    public ResourceAttributes? ResourceAttributes { get; init; }
}

public sealed record ResourceAttributes
{
    public string? Namespace { get; init; }
    public string? Verb { get; init; }
    public string? Group { get; init; }
    public string? Resource { get; init; }
}

public sealed record AccessReviewStatus
{
    public bool Allowed { get; init; }
}

/// <summary>What "doctor -o json" prints.</summary>
public sealed record DoctorReportJson(int Problems, int Warnings, IReadOnlyList<FindingJson> Findings);

/// <param name="Result">ok, unknown, warning or problem.</param>
public sealed record FindingJson(string Result, string Check, string Message, string? Advice);

/// <summary>Where these are in the API.</summary>
public static class DoctorResources
{
    public static readonly Resource<ComponentPod> Pods = new("", "v1", "pods", true, DoctorJson.Default.ComponentPod, DoctorJson.Default.ObjectListComponentPod);
    public static readonly Resource<Workload> Deployments = new("apps", "v1", "deployments", true, DoctorJson.Default.Workload, DoctorJson.Default.ObjectListWorkload);
    public static readonly Resource<Workload> DaemonSets = new("apps", "v1", "daemonsets", true, DoctorJson.Default.Workload, DoctorJson.Default.ObjectListWorkload);
    public static readonly Resource<AccessReview> AccessReviews = new(
        "authorization.k8s.io", "v1", "selfsubjectaccessreviews", false, DoctorJson.Default.AccessReview, DoctorJson.Default.ObjectListAccessReview);
}

/// <summary>What only doctor reads and writes.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimeConverter), typeof(OptionalTimeConverter), typeof(Int32Converter)])]
[JsonSerializable(typeof(ObjectList<Workload>))]
[JsonSerializable(typeof(ObjectList<ComponentPod>))]
[JsonSerializable(typeof(ObjectList<AccessReview>))]
[JsonSerializable(typeof(DoctorReportJson))]
public sealed partial class DoctorJson : JsonSerializerContext;
