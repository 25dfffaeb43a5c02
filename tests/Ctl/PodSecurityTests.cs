using System.Text.Json.Nodes;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Scenarios;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>
/// The pods of the manifests against the Pod Security Standards: the controller keeps to every rule of "restricted", the daemon breaks
/// those that a container runtime's socket asks for, and no other.
/// </summary>
public class PodSecurityTests
{
    private static readonly string[] Volumes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    private static readonly string[] SafeSysctls = ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range"];

    /// <summary>Each rule by its name in the standard, what keeps it, and a pod spec that breaks it: a rule that nothing breaks proves nothing.</summary>
    private static readonly (string Name, Func<JsonNode, bool> Holds, string Broken)[] Restricted =
    [
        ("Host Namespaces", pod => !Is(pod, "hostNetwork") && !Is(pod, "hostPID") && !Is(pod, "hostIPC"), """{"hostPID":true}"""),
        ("Privileged Containers", pod => Contexts(pod).All(context => !Is(context, "privileged")), """{"containers":[{"securityContext":{"privileged":true}}]}"""),
        ("Capabilities", pod => Contexts(pod).All(context => Strings(context?["capabilities"]?["drop"]).Contains("ALL")
            && Strings(context?["capabilities"]?["add"]).All(added => added == "NET_BIND_SERVICE")), """{"containers":[{"securityContext":{"capabilities":{"drop":["NET_RAW"]}}}]}"""),
        ("HostPath Volumes", pod => Items(pod["volumes"]).All(volume => volume["hostPath"] is null), """{"volumes":[{"name":"x","hostPath":{"path":"/"}}]}"""),
        ("Host Ports", pod => Containers(pod).SelectMany(container => Items(container["ports"])).All(port => (port["hostPort"]?.GetValue<long>() ?? 0) == 0),
            """{"containers":[{"ports":[{"hostPort":80}]}]}"""),
        ("AppArmor", pod => Both(pod).All(context => context?["appArmorProfile"]?["type"]?.GetValue<string>() is null or "RuntimeDefault" or "Localhost"),
            """{"securityContext":{"appArmorProfile":{"type":"Unconfined"}}}"""),
        ("SELinux", pod => Both(pod).All(context => context?["seLinuxOptions"] is null), """{"securityContext":{"seLinuxOptions":{"type":"spc_t"}}}"""),
        ("/proc Mount Type", pod => Contexts(pod).All(context => context?["procMount"] is null), """{"containers":[{"securityContext":{"procMount":"Unmasked"}}]}"""),
        ("Sysctls", pod => Items(pod["securityContext"]?["sysctls"]).All(sysctl => SafeSysctls.Contains(sysctl["name"]!.GetValue<string>())),
            """{"securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"}]}}"""),
        ("Volume Types", pod => Items(pod["volumes"]).All(volume => volume.AsObject().Any(field => Volumes.Contains(field.Key))), """{"volumes":[{"name":"x","nfs":{}}]}"""),
        ("Privilege Escalation", pod => Contexts(pod).All(context => context?["allowPrivilegeEscalation"]?.GetValue<bool>() == false), """{"containers":[{}]}"""),
        ("Running as Non-root", pod => Containers(pod).All(container => Is(container["securityContext"] ?? new JsonObject(), "runAsNonRoot")
            || (container["securityContext"]?["runAsNonRoot"] is null && Is(pod["securityContext"], "runAsNonRoot"))), """{"containers":[{}]}"""),
        ("Running as Non-root user", pod => Both(pod).All(context => context?["runAsUser"]?.GetValue<long>() != 0), """{"containers":[{"securityContext":{"runAsUser":0}}]}"""),
        ("Seccomp", pod => Containers(pod).All(container => (container["securityContext"]?["seccompProfile"] ?? pod["securityContext"]?["seccompProfile"])?["type"]?.GetValue<string>()
            is "RuntimeDefault" or "Localhost"), """{"containers":[{"securityContext":{"seccompProfile":{"type":"Unconfined"}}}]}"""),
    ];

    /// <summary>The daemon's exceptions, and why.</summary>
    private static readonly Dictionary<string, string> Excused = new()
    {
        ["HostPath Volumes"] = "the socket of the container runtime is in the node's /run",
        ["Volume Types"] = "a hostPath is none of the types",
        ["Running as Non-root"] = "the socket belongs to root and lets nobody else in",
        ["Running as Non-root user"] = "the socket belongs to root and lets nobody else in",
    };

    public static TheoryData<string> Rules => [.. Restricted.Select(rule => rule.Name)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_controller_keeps_to_restricted_and_the_daemon_to_all_but_its_exceptions(string name)
    {
        var (_, holds, broken) = Restricted.Single(rule => rule.Name == name);
        Assert.False(holds(JsonNode.Parse(broken)!), "the rule was to be broken");
        Assert.True(holds(Pod("Deployment")), $"the controller breaks {name}");
        // An exception that is no longer needed is removed here too.
        Assert.Equal(!Excused.ContainsKey(name), holds(Pod("DaemonSet")));
    }

    [Fact]
    public void The_daemon_sees_one_directory_of_its_node_and_writes_nothing_there()
    {
        var pod = Pod("DaemonSet");
        var volume = Assert.Single(Items(pod["volumes"]));
        Assert.Equal(("/run", "Directory"), (volume["hostPath"]!["path"]!.GetValue<string>(), volume["hostPath"]!["type"]!.GetValue<string>()));
        var mount = Assert.Single(Items(Assert.Single(Containers(pod))["volumeMounts"]));
        Assert.True(Is(mount, "readOnly"));
        Assert.Equal("HostToContainer", mount["mountPropagation"]!.GetValue<string>()); // never from the container to the node
        foreach (var endpoint in KruiseImage.Cri.RuntimeEndpoint.Usual) Assert.StartsWith("/run/", endpoint.SocketPath, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Deployment")]
    [InlineData("DaemonSet")]
    public void A_pod_has_what_it_needs_and_no_more(string kind)
    {
        var pod = Pod(kind);
        Assert.True(Is(pod, "automountServiceAccountToken")); // it talks to the API server; the account itself gives its token to nobody
        Assert.False(pod["enableServiceLinks"]!.GetValue<bool>()); // the names of a namespace's services are none of its business
        Assert.All(Containers(pod), container =>
        {
            Assert.True(Is(container["securityContext"], "readOnlyRootFilesystem"));
            Assert.NotNull(container["resources"]!["limits"]!["memory"]);
            Assert.NotNull(container["resources"]!["requests"]!["memory"]);
            Assert.NotNull(container["resources"]!["requests"]!["cpu"]);
            Assert.DoesNotContain(Items(container["env"]), variable => variable["valueFrom"]?["secretKeyRef"] is not null);
        });
        var account = Objects().Single(item => Kind(item) == "ServiceAccount" && Name(item) == pod["serviceAccountName"]!.GetValue<string>());
        Assert.False(account["automountServiceAccountToken"]!.GetValue<bool>());
    }

    /// <summary>The level of a namespace is that of its least safe pod; where nothing runs, nothing unsafe can.</summary>
    [Theory]
    [InlineData("kruise-image-system", "privileged")]
    [InlineData("kruise-daemon-config", "restricted")]
    public void Namespaces_say_their_level(string name, string level)
    {
        var labels = Objects().Single(item => Kind(item) == "Namespace" && Name(item) == name)["metadata"]!["labels"]!;
        foreach (var mode in (string[])["enforce", "audit", "warn"]) Assert.Equal(level, labels[$"pod-security.kubernetes.io/{mode}"]!.GetValue<string>());
    }

    private static IEnumerable<JsonNode> Objects() => Manifests.Read(InstallValues.Defaults).Select(manifest => YamlJson.Read(manifest.Yaml)!);

    private static JsonNode Pod(string kind) => Assert.Single(Objects(), item => Kind(item) == kind)["spec"]!["template"]!["spec"]!;

    private static string Kind(JsonNode item) => item["kind"]!.GetValue<string>();

    private static string Name(JsonNode item) => item["metadata"]!["name"]!.GetValue<string>();

    private static IEnumerable<JsonNode> Containers(JsonNode pod) => Items(pod["containers"]).Concat(Items(pod["initContainers"])).Concat(Items(pod["ephemeralContainers"]));

    private static IEnumerable<JsonNode?> Contexts(JsonNode pod) => Containers(pod).Select(container => container["securityContext"]);

    private static IEnumerable<JsonNode?> Both(JsonNode pod) => Contexts(pod).Append(pod["securityContext"]);

    private static bool Is(JsonNode? node, string field) => node?[field]?.GetValue<bool>() == true;

    private static IEnumerable<JsonNode> Items(JsonNode? list) => list?.AsArray().Select(item => item!) ?? [];

    private static IEnumerable<string> Strings(JsonNode? list) => Items(list).Select(item => item.GetValue<string>());
}
