using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Doctor;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Scenarios;

namespace KruiseImage.Tests.Ctl;

/// <summary>An installation in which nothing is wrong: three nodes with a daemon each, two controllers of which one leads. Tests break a part.</summary>
internal static class DoctorSamples
{
    public static readonly DateTimeOffset Now = Samples.After(600);

    public static string Image => $"registry.example.com/kruise-image:{ProductVersion.Number}";

    public static DoctorFacts Healthy { get; } = new()
    {
        Now = Now,
        Server = new ServerInfo("v1.31.2", 31, Now),
        Crds = Installed("crds/"),
        Rbac = Installed("rbac/"),
        Policies = Installed("policies/"),
        Nodes = Some(Node("node-1"), Node("node-2"), Node("node-3")),
        NodeImages = Some(Answering("node-1"), Answering("node-2"), Idle("node-3")),
        Jobs = Some<ImagePullJob>(),
        Pods = Some(Pod("controller", "node-1"), Pod("controller", "node-2"), Pod("daemon", "node-1"), Pod("daemon", "node-2"), Pod("daemon", "node-3")),
        Controller = Workload(replicas: 2, available: 2),
        Daemons = Workload(),
        Lease = Lease("kruise-image-controller-7d9-abcde", secondsAgo: 2),
        Access = [("create imagepulljobs in namespace \"default\"", Allowed(true)), ("list nodeimages", Allowed(true))],
    };

    public static Fact<IReadOnlyList<T>> Some<T>(params T[] items) => new(items, null);

    public static Fact<T> Forbidden<T>(string deed)
        where T : class => new(null, $"you may not {deed}");

    public static Fact<AccessReview> Allowed(bool isAllowed) => new AccessReview { Status = new() { Allowed = isAllowed } };

    public static Node Node(string name, bool isReady = true, string os = "linux") =>
        new() { Metadata = new() { Name = name, Labels = new() { ["kubernetes.io/os"] = os } }, Status = new() { Ready = isReady } };

    public static NodeImage Idle(string name) => new() { Metadata = new() { Name = name } };

    public static NodeImage Answering(string name) => Samples.Node(name, Samples.Succeeded(4));

    /// <summary>Asked so long ago, and not answered.</summary>
    public static NodeImage Unanswered(string name, int secondsAgo)
    {
        var node = Samples.Node(name, null);
        node.Spec!.Images!["nginx"].Tags![0] = node.Spec.Images["nginx"].Tags![0] with { CreatedAt = Now.AddSeconds(-secondsAgo) };
        return node;
    }

    public static ComponentPod Pod(string component, string node, ContainerState? state = null, ContainerState? lastState = null, string? image = null) => new()
    {
        Metadata = new() { Name = $"kruise-image-{component}-{node}", Labels = new() { ["app.kubernetes.io/component"] = component } },
        Spec = new() { NodeName = node, Containers = [new() { Name = component, Image = image ?? Image }] },
        Status = new()
        {
            Conditions = [new() { Type = "Ready", Status = state is null ? "True" : "False" }],
            ContainerStatuses = [new() { Name = component, State = state ?? new(), LastState = lastState }],
        },
    };

    public static Workload Workload(int? replicas = null, int available = 0, params string[] args) => new()
    {
        Spec = new() { Replicas = replicas, Template = new() { Spec = new() { Containers = [new() { Image = Image, Args = [.. args] }] } } },
        Status = new() { AvailableReplicas = available },
    };

    public static Lease Lease(string holder, int secondsAgo) =>
        new() { Spec = new() { HolderIdentity = holder, LeaseDurationSeconds = 15, RenewTime = Now.AddSeconds(-secondsAgo) } };

    public static Secret Secret(string text, string type = DockerConfig.ConfigJsonType) =>
        new() { Type = type, Data = new() { [".dockerconfigjson"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) } };

    public static Secret GoodSecret => Secret("""{"auths":{"registry.example.com":{"auth":"bWU6aHVudGVyMg=="}}}""");

    public static RawObject Raw(string json) => JsonSerializer.Deserialize(json, CtlJson.Default.RawObject)!;

    /// <summary>The manifests as a server keeps them: with defaults and a status of its own.</summary>
    public static IReadOnlyList<Installed> Installed(string folder)
    {
        var manifests = new Dictionary<string, RawObject>(StringComparer.Ordinal);
        foreach (var name in typeof(OurObject).Assembly.GetManifestResourceNames().Where(name => name.StartsWith($"manifests/{folder}", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(typeof(OurObject).Assembly.GetManifestResourceStream(name)!);
            foreach (var document in reader.ReadToEnd().Split("\n---\n"))
            {
                var json = YamlJson.Read(document)!.AsObject();
                json["metadata"]!["uid"] = "1";
                if (json["kind"]!.GetValue<string>() == "CustomResourceDefinition")
                {
                    json["spec"]!["conversion"] = YamlJson.Read("strategy: None");
                    json["status"] = YamlJson.Read("conditions:\n- type: Established\n  status: 'True'\n");
                }
                var raw = Raw(json.ToJsonString());
                manifests[$"{json["kind"]} {raw.Metadata.Namespace}/{raw.Metadata.Name}"] = raw;
            }
        }
        return [.. OurObject.In(folder).Select(ours => new Installed(ours, manifests[$"{ours.Kind} {ours.Namespace}/{ours.Name}"]))];
    }

    /// <summary>One of them is another, or missing.</summary>
    public static IReadOnlyList<Installed> With(this IReadOnlyList<Installed> installed, string name, Func<string, string>? edit) =>
        [.. installed.Select(item => item.Ours.ToString() != name ? item : item with { Theirs = edit is null ? default : (Fact<RawObject>)Raw(edit(item.Theirs.Value!.Json.GetRawText())) })];
}
