using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// "ctl doctor" on a real API server: what it says of a bed that is well (which has no kubelets, so no pods and no workloads), and of each
/// part that is broken on purpose.
/// </summary>
public sealed class DoctorScenarios(SharedCluster shared) : SecretScenario(shared)
{
    /// <summary>One that nothing of ours lives by.</summary>
    private const string Role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/kruise-image-edit";
    private const string Crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/imagelistpulljobs.apps.kruise.io";

    [Fact]
    public async Task A_bed_that_is_well_has_no_problem_but_what_a_bed_lacks()
    {
        var image = await PushAsync("doctor-well");
        await (await JobAsync("doctor-well", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""")).CompletedAsync(nodes: 3);
        var (exitCode, report) = await DoctorAsync();
        var told = report.ToJsonString();
        Assert.True(exitCode == 0 && report["problems"]!.GetValue<int>() == 0, told);
        foreach (var (check, words) in ((string, string)[])[("crds", "3 CRDs are served"), ("rbac", "as this version has them"), ("controller", "leads; it renewed the lease"),
            ("daemons", "all 3 ready nodes have a daemon that answers"), ("clocks", "agree"), ("openkruise", "OpenKruise is not here"), ("access", "you may create"), ("runtimes", "no daemon misses")])
            Assert.True(Findings(report, check).Any(finding => finding.Text("result") == "ok" && finding.Text("message").Contains(words, StringComparison.Ordinal)), $"{check}: {told}");
        Assert.Contains("a controller runs elsewhere", told, StringComparison.Ordinal);

        var table = await Cluster.CtlAsync(["doctor"], Cancellation);
        Assert.Equal(0, table.ExitCode);
        Assert.StartsWith("RESULT ", table.Output, StringComparison.Ordinal);
        Assert.Contains("0 problems, ", table.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_role_and_one_with_other_rules()
    {
        await Restored(Role);
        await Api.MergePatchAsync(Role, JsonNode.Parse("""{"rules":[{"apiGroups":["apps.kruise.io"],"resources":["nodeimages"],"verbs":["list"]}]}""")!, Cancellation);
        await SaysAsync("rbac", "clusterrole/kruise-image-edit is not as this version needs it");
        await Api.DeleteAsync(Role, Cancellation);
        await SaysAsync("rbac", "clusterrole/kruise-image-edit is missing");
    }

    [Fact]
    public async Task A_CRD_with_a_webhook_or_another_schema()
    {
        await Restored(Crd);
        var crd = (await Api.GetAsync(Crd, Cancellation))!;
        crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!.AsObject()["more"] = JsonNode.Parse("""{"type":"string"}""");
        await Api.ReplaceAsync(Crd, crd, Cancellation);
        await SaysAsync("crds", "imagelistpulljobs.apps.kruise.io is not as this version has it", "warning");
    }

    [Fact]
    public async Task A_workload_of_OpenKruise()
    {
        await NamespaceAsync("kruise-system");
        const string path = "/apis/apps/v1/namespaces/kruise-system/deployments";
        await Api.CreateAsync(path, JsonNode.Parse("""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"kruise-controller-manager"},
             "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"manager","image":"kruise:1"}]}}}}
            """)!, Cancellation);
        AtTheEnd(() => Api.DeleteAsync($"{path}/kruise-controller-manager", Cancellation));
        await SaysAsync("openkruise", "kruise-controller-manager runs with image pulling on");
    }

    [Fact]
    public async Task A_pull_secret_that_does_not_exist_and_one_without_credentials()
    {
        var image = await PushSlowAsync("doctor-secret", kilobytes: 4000, kilobytesPerSecond: 50);
        await SecretAsync("default", "doctor-empty", Opaque, new() { ["other"] = "thing" });
        await JobAsync("doctor-secret", $$$"""{"image":"{{{image.Reference}}}","pullSecrets":["doctor-missing","doctor-empty"]}""");
        await SaysAsync("pull-secrets", "the pull secret \"doctor-missing\" of job default/doctor-secret does not exist in namespace \"default\"");
        await SaysAsync("pull-secrets", "the pull secret \"doctor-empty\" of job default/doctor-secret in namespace \"default\" (type Opaque) holds no credential");
    }

    [Fact]
    public async Task A_node_without_a_daemon()
    {
        const string node = "doctor-node";
        await Cluster.CreateNodeAsync(node, new Dictionary<string, string>(), Cancellation);
        AtTheEnd(() => Api.DeleteAsync(Paths.Node(node), Cancellation));
        await UntilAsync("it has a NodeImage", async () => await NodeImageAsync(node) is not null);
        // Nor of nodes that no scenario has asked yet.
        Assert.Contains(Findings((await DoctorAsync()).Report, "daemons"), finding => finding.Text("message").StartsWith("whether a daemon runs on", StringComparison.Ordinal) && finding.Text("message").Contains(node, StringComparison.Ordinal));
        // As a job would have asked two minutes ago.
        var asked = $"{DateTime.UtcNow.AddMinutes(-2):s}Z";
        await Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse($$"""
            { "spec": { "images": { "e2e/doctor": { "tags": [ { "tag": "1", "version": 1, "createdAt": "{{asked}}", "pullPolicy": { "ttlSecondsAfterFinished": 300 } } ] } } } }
            """)!, Cancellation);
        await SaysAsync("daemons", $"no daemon answers on node {node}");
    }

    [Fact]
    public Task Somebody_who_may_read_little_is_told_what_was_not_checked() => Local.ControlPlane.WhileRefusingAsync(async () =>
    {
        var (exitCode, report) = await DoctorAsync("--kubeconfig", Local.ControlPlane.DaemonKubeconfig);
        Assert.Contains(report["findings"]!.AsArray(), finding => finding!.Text("message") == "not checked: you may not list nodes");
        Assert.Contains(report["findings"]!.AsArray(), finding => finding!.Text("check") == "access" && finding!.Text("result") == "warning");
        Assert.Equal(0, exitCode);
    });

    [Fact]
    public async Task Without_a_cluster_it_is_one_sentence()
    {
        var result = await Cluster.CtlAsync(["doctor", "--kubeconfig", "/no/such/kubeconfig"], Cancellation);
        Assert.Equal(3, result.ExitCode);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Empty(result.Output);
    }

    /// <summary>Puts the object back as it is now.</summary>
    private async Task Restored(string path)
    {
        var before = (await Api.GetAsync(path, Cancellation))!;
        AtTheEnd(async () =>
        {
            var metadata = before["metadata"]!.AsObject();
            metadata.Remove("resourceVersion");
            metadata.Remove("uid");
            if (await Api.GetAsync(path, Cancellation) is not { } now)
            {
                await Api.CreateAsync(Path.GetDirectoryName(path)!, before, Cancellation);
                return;
            }
            metadata["resourceVersion"] = now["metadata"]!.Text("resourceVersion");
            await Api.ReplaceAsync(path, before, Cancellation);
        });
    }

    private async Task SaysAsync(string check, string words, string result = "problem")
    {
        var (exitCode, report) = await DoctorAsync();
        Assert.True(Findings(report, check).Any(finding => finding.Text("result") == result && finding.Text("message").Contains(words, StringComparison.Ordinal)), report.ToJsonString());
        if (result == "problem")
            Assert.Equal(1, exitCode);
    }

    private static IEnumerable<JsonNode> Findings(JsonNode report, string check) => report["findings"]!.AsArray().Select(finding => finding!).Where(finding => finding.Text("check") == check);

    private async Task<(int ExitCode, JsonNode Report)> DoctorAsync(params string[] arguments)
    {
        var result = await Cluster.CtlAsync(["doctor", "-o", "json", .. arguments], Cancellation);
        Assert.True(result.ExitCode is 0 or 1, $"{result.Error}{result.Output}");
        return (result.ExitCode, JsonNode.Parse(result.Output)!);
    }
}
