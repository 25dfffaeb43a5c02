using System.Text.Json.Nodes;

namespace KruiseImage.Bench;

/// <summary>
/// Nodes as a kubelet of a cloud would leave them, about 4 KB each: labels, annotations, five conditions, addresses, six images. Pure:
/// the same number gives the same Node.
/// </summary>
public static class NodeFactory
{
    /// <summary>Which thousand a Node is in: jobs over a thousand nodes select by it.</summary>
    public const string ThousandLabel = "bench.kruise-image/thousand";

    private const string Time = "2026-01-01T00:00:00Z";

    public static string NameOf(int number) => $"ip-10-{number / 65536}-{number / 256 % 256}-{number % 256}.eu-central-1.compute.internal";

    public static byte[] Node(int number) => NodeImageBodies.Utf8(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Node",
        ["metadata"] = new JsonObject { ["name"] = NameOf(number), ["labels"] = Labels(number), ["annotations"] = Annotations(number) },
        ["spec"] = new JsonObject
        {
            ["podCIDR"] = $"10.{128 + (number / 256)}.{number % 256}.0/24",
            ["podCIDRs"] = new JsonArray($"10.{128 + (number / 256)}.{number % 256}.0/24"),
            ["providerID"] = $"aws:///eu-central-1a/i-{number:x17}",
        },
        ["status"] = new JsonObject
        {
            ["capacity"] = Resources("8", "32599284Ki", "104845292Ki"),
            ["allocatable"] = Resources("7910m", "31582452Ki", "95551679124"),
            ["conditions"] = Conditions(),
            ["addresses"] = new JsonArray(
                Address("InternalIP", $"10.{number / 65536}.{number / 256 % 256}.{number % 256}"), Address("Hostname", NameOf(number)), Address("InternalDNS", NameOf(number))),
            ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = 10250 } },
            ["nodeInfo"] = NodeInfo(number),
            ["images"] = Images(),
        },
    });

    /// <summary>Those that its NodeImage has, too.</summary>
    public static JsonObject Labels(int number) => new()
    {
        ["beta.kubernetes.io/arch"] = "amd64",
        ["beta.kubernetes.io/instance-type"] = "m5.2xlarge",
        ["beta.kubernetes.io/os"] = "linux",
        [ThousandLabel] = $"{number / 1000}",
        ["eks.amazonaws.com/capacityType"] = "ON_DEMAND",
        ["eks.amazonaws.com/nodegroup"] = "workers",
        ["failure-domain.beta.kubernetes.io/region"] = "eu-central-1",
        ["failure-domain.beta.kubernetes.io/zone"] = "eu-central-1a",
        ["kubernetes.io/arch"] = "amd64",
        ["kubernetes.io/hostname"] = NameOf(number),
        ["kubernetes.io/os"] = "linux",
        ["node.kubernetes.io/instance-type"] = "m5.2xlarge",
        ["topology.kubernetes.io/region"] = "eu-central-1",
        ["topology.kubernetes.io/zone"] = "eu-central-1a",
    };

    private static JsonObject Annotations(int number) => new()
    {
        ["csi.volume.kubernetes.io/nodeid"] = $$"""{"ebs.csi.aws.com":"i-{{number:x17}}"}""",
        ["node.alpha.kubernetes.io/ttl"] = "0",
        ["volumes.kubernetes.io/controller-managed-attach-detach"] = "true",
    };

    private static JsonObject Resources(string cpu, string memory, string storage) => new()
    {
        ["attachable-volumes-aws-ebs"] = "25",
        ["cpu"] = cpu,
        ["ephemeral-storage"] = storage,
        ["hugepages-1Gi"] = "0",
        ["hugepages-2Mi"] = "0",
        ["memory"] = memory,
        ["pods"] = "58",
    };

    private static JsonArray Conditions() => new(
        Condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        Condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        Condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        Condition("NetworkUnavailable", "False", "RouteCreated", "the network has a route to this node"),
        Condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"));

    private static JsonObject Condition(string type, string status, string reason, string message) => new()
    {
        ["type"] = type,
        ["status"] = status,
        ["lastHeartbeatTime"] = Time,
        ["lastTransitionTime"] = Time,
        ["reason"] = reason,
        ["message"] = message,
    };

    private static JsonObject Address(string type, string address) => new() { ["type"] = type, ["address"] = address };

    private static JsonObject NodeInfo(int number) => new()
    {
        ["machineID"] = $"{number:x32}",
        ["systemUUID"] = $"ec2{number:x5}-0000-4000-8000-{number:x12}",
        ["bootID"] = $"b0070000-0000-4000-8000-{number:x12}",
        ["kernelVersion"] = "6.1.0-18-cloud-amd64",
        ["osImage"] = "Debian GNU/Linux 12 (bookworm)",
        ["containerRuntimeVersion"] = "containerd://1.7.13",
        ["kubeletVersion"] = "v1.32.1",
        ["kubeProxyVersion"] = "v1.32.1",
        ["operatingSystem"] = "linux",
        ["architecture"] = "amd64",
    };

    private static JsonArray Images() =>
    [
        .. Enumerable.Range(1, 6).Select(image => new JsonObject
        {
            ["names"] = new JsonArray($"registry.example.com/team/service-{image}@sha256:{image:x64}", $"registry.example.com/team/service-{image}:v1.{image}.0"),
            ["sizeBytes"] = 100_000_000 + image,
        }),
    ];
}
