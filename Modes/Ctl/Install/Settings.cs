namespace KruiseImage.Modes.Ctl.Install;

/// <summary>
/// Everything that can be set at installation, in the order of help, docs and values.yaml. The one list: "--set", values files, the
/// Helm chart with its schema, and the table in docs/install.md are made from it or compared with it.
/// </summary>
public static class Settings
{
    private const string ControllerFile = "controller/deployment.yaml";
    private const string DaemonFile = "daemon/daemonset.yaml";
    private const string Pod = "spec.template.spec";
    private const string Container = $"{Pod}.containers";

    public const string ImageName = "image";
    public const string ProviderConfig = "daemon.credentialProviders.config";
    public const string ProviderBinaries = "daemon.credentialProviders.binDir";

    public static IReadOnlyList<Setting> All { get; } =
    [
        new(ImageName, SettingType.Image, $"kruise-image:{ProductVersion.Number}", "The image that controllers and daemons run from.") { Edits = Both($"{Container}.image") },
        new("imagePullPolicy", SettingType.Choice("Always", "IfNotPresent", "Never"), "IfNotPresent", "When the kubelet pulls that image.") { Edits = Both($"{Container}.imagePullPolicy") },
        new("imagePullSecrets", SettingType.Names, "", "Secrets in kruise-image-system that the kubelet pulls that image with.")
        {
            Edits = Both($"{Pod}.serviceAccountName", EditKind.Lines, "      imagePullSecrets:\n      - name: VALUE"),
        },
        new("logLevel", SettingType.Choice("Trace", "Debug", "Information", "Warning", "Error"), "Information", "What controllers and daemons log.")
        {
            Edits = Both($"{Container}.args", EditKind.Lines, "        - --log-level=VALUE"),
        },

        new("controller.replicas", SettingType.Count(1, 9), "2", "Controllers; one leads, the others take over.") { Edits = [Value(ControllerFile, "spec.replicas")] },
        .. Workload("controller", ControllerFile, "system-cluster-critical", "50m", "64Mi", "512Mi"),
        .. Workload("daemon", DaemonFile, "system-node-critical", "10m", "48Mi", "128Mi"),
        new("daemon.maxConcurrentPulls", SettingType.Count(1, 64), "2", "Pulls at one time on a node.") { Edits = [Argument("--max-concurrent-pulls=VALUE")] },
        new("daemon.runtimeEndpoint", SettingType.Path, "", "The socket of the container runtime on all nodes; the daemon then sees its directory alone, not /run. Empty: the usual ones.")
        {
            Edits =
            [
                Argument("--runtime-endpoint=unix://VALUE"),
                Value(DaemonFile, $"{Container}.volumeMounts.mountPath", Edit.DirectoryWord),
                Value(DaemonFile, $"{Pod}.volumes.hostPath.path", Edit.DirectoryWord),
            ],
        },
        new(ProviderConfig, SettingType.Path, "", "On the nodes: the kubelet's CredentialProviderConfig, a file or a directory (docs/private-registries.md).")
        {
            Edits = [Argument("--image-credential-provider-config=VALUE"), .. Mount("credential-provider-config")],
        },
        new(ProviderBinaries, SettingType.Path, "", "On the nodes: the directory of those credential provider plugins.")
        {
            Edits = [Argument("--image-credential-provider-bin-dir=VALUE"), .. Mount("credential-provider-bin")],
        },

        new("metrics.serviceMonitor", SettingType.Flag, "false", "A ServiceMonitor and a PodMonitor, for the Prometheus Operator.") { Folder = "monitors/" },
        new("policies.enabled", SettingType.Flag, "true", "Admission policies that hold each daemon to its own node. Servers before 1.30 do not know them.") { Folder = "policies/" },
    ];

    /// <summary>What the settings are together; null when nothing is wrong.</summary>
    public static string? Complaint(Func<string, string> valueOf) =>
        (valueOf(ProviderConfig).Length > 0) == (valueOf(ProviderBinaries).Length > 0) ? null : $"{ProviderConfig} and {ProviderBinaries} go together: give both or neither";

    private static Setting[] Workload(string name, string file, string priority, string cpu, string memory, string memoryLimit) =>
    [
        new($"{name}.resources.requests.cpu", SettingType.Quantity, cpu, $"CPU that a {name} is given.") { Edits = [Value(file, $"{Container}.resources.requests.cpu")] },
        new($"{name}.resources.requests.memory", SettingType.Quantity, memory, $"Memory that a {name} is given.") { Edits = [Value(file, $"{Container}.resources.requests.memory")] },
        new($"{name}.resources.limits.memory", SettingType.Quantity, memoryLimit, $"Memory beyond which a {name} is killed.")
        {
            Edits = [Value(file, $"{Container}.resources.limits.memory")],
        },
        new($"{name}.priorityClassName", SettingType.OptionalName, priority, $"Who gives way to a {name}; another where a quota keeps the system classes to kube-system.")
        {
            Edits = [Value(file, $"{Pod}.priorityClassName")],
        },
        new($"{name}.nodeSelector", SettingType.Labels, "", $"Labels of the nodes that a {name} runs on, besides kubernetes.io/os=linux.")
        {
            Edits = [new(file, $"{Pod}.nodeSelector", EditKind.Lines, "        KEY: VALUE")],
        },
    ];

    private static Edit Value(string file, string path, string text = Edit.ValueWord) => new(file, path, EditKind.Value, text);

    private static Edit Argument(string argument) => new(DaemonFile, $"{Container}.args", EditKind.Lines, $"        - {argument}");

    /// <summary>The path on the node, at the same place in the container.</summary>
    private static Edit[] Mount(string volume) =>
    [
        new(DaemonFile, $"{Container}.volumeMounts", EditKind.Lines, $"        - name: {volume}\n          mountPath: VALUE\n          readOnly: true"),
        new(DaemonFile, $"{Pod}.volumes", EditKind.Lines, $"      - name: {volume}\n        hostPath:\n          path: VALUE"),
    ];

    private static Edit[] Both(string path, EditKind kind = EditKind.Value, string text = Edit.ValueWord) => [new(ControllerFile, path, kind, text), new(DaemonFile, path, kind, text)];
}
