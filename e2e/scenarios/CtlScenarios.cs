using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The command line as a person uses it, and what it says when something is wrong (issue: "Bad input and faults").</summary>
public sealed class CtlScenarios(SharedCluster shared) : Scenario(shared)
{
    [Fact]
    public async Task Pull_waits_and_ends_with_0_when_every_node_has_the_image()
    {
        var image = await PushAsync("ctl-pull");
        var result = await Cluster.CtlAsync(["pull", image.Reference, "--parallelism", "10", "--wait"], Cancellation);
        Assert.True(result.ExitCode == 0, $"{result.Output}{result.Error}");
        await HasImageAsync(image, [.. Cluster.NodeNames]);
    }

    [Fact]
    public async Task Pull_ends_with_another_code_when_a_node_failed_and_says_why()
    {
        var result = await Cluster.CtlAsync(["pull", "e2e/ctl-no-such-image:1", "--wait"], Cancellation);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("NotFound", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_and_describe_show_the_job()
    {
        var image = await PushAsync("ctl-describe");
        var job = await JobAsync("ctl-describe", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await job.CompletedAsync(nodes: 3);

        Assert.Contains("ctl-describe", (await Cluster.CtlAsync(["get", "jobs"], Cancellation)).Succeeded(), StringComparison.Ordinal);
        Assert.Contains(Cluster.NodeNames[0], (await Cluster.CtlAsync(["get", "nodes"], Cancellation)).Succeeded(), StringComparison.Ordinal);
        var description = (await Cluster.CtlAsync(["describe", "job", "ctl-describe"], Cancellation)).Succeeded();
        Assert.Contains(image.Reference, description, StringComparison.Ordinal);
        var json = JsonNode.Parse((await Cluster.CtlAsync(["get", "jobs", "-o", "json"], Cancellation)).Succeeded());
        Assert.NotNull(json);
    }

    [Fact]
    public async Task A_dry_run_of_install_prints_what_the_cluster_accepts()
    {
        var manifests = (await Cluster.CtlAsync(["install", "--dry-run"], Cancellation)).Succeeded();
        foreach (var kind in (string[])["CustomResourceDefinition", "ClusterRole", "Deployment", "DaemonSet"])
            Assert.Contains($"kind: {kind}\n", manifests, StringComparison.Ordinal);
        // Before 1.30 no server knows the policy, before 1.21 none this version of the budget; 'ctl install' itself leaves them out there.
        foreach (var (kind, path) in ((string, string)[])[("ValidatingAdmissionPolicy", AdmissionPolicyScenarios.Policies), ("PodDisruptionBudget", "/apis/policy/v1")])
        {
            if (await Api.GetAsync(path, Cancellation) is not null) continue;
            manifests = string.Join("\n---\n", manifests.Split("\n---\n").Where(manifest => !manifest.Contains($"kind: {kind}", StringComparison.Ordinal)));
        }

        await Cluster.KubectlAsync(["apply", "--dry-run=server", "--validate=false", "--filename", "-"], Cancellation, manifests);
    }

    [Theory]
    [InlineData("an unknown flag", "ctl", "pull", "nginx:1.9.1", "--no-such-flag")]
    [InlineData("an unknown verb", "ctl", "frobnicate")]
    [InlineData("an unreachable API server", "ctl", "get", "jobs", "--kubeconfig", "UNREACHABLE")]
    [InlineData("a missing kubeconfig", "ctl", "get", "jobs", "--kubeconfig", "/no/such/kubeconfig")]
    [InlineData("a context that is not there", "ctl", "get", "jobs", "--context", "no-such-context")]
    [InlineData("a malformed image", "ctl", "pull", "Not A Reference")]
    [InlineData("no mode at all")]
    [InlineData("a controller without a kubeconfig", "controller", "--kubeconfig", "/no/such/kubeconfig", "--listen", "127.0.0.1:0")]
    [InlineData("a daemon without a node name", "daemon", "--kubeconfig", "KUBECONFIG", "--listen", "127.0.0.1:0")]
    [InlineData("a socket that is none", "daemon", "--kubeconfig", "KUBECONFIG", "--node-name", "x", "--runtime-endpoint", "tcp://nowhere", "--listen", "127.0.0.1:0")]
    public async Task A_mistake_is_one_clear_sentence_and_no_stack_trace(string mistake, params string[] arguments)
    {
        var unreachable = await UnreachableKubeconfigAsync();
        var result = await CommandResult.RunAsync(Parts.Product,
            arguments.Select(argument => argument switch { "UNREACHABLE" => unreachable, "KUBECONFIG" => Cluster.Kubeconfig, _ => argument }),
            new Dictionary<string, string> { ["KUBECONFIG"] = Cluster.Kubeconfig, ["NODE_NAME"] = "" }, null, Cancellation).WaitAsync(Soon, Cancellation);
        Assert.True(result.ExitCode is > 0 and < 128, $"{mistake}: exit code {result.ExitCode}, {result.Error}");
        Assert.NotEmpty(result.Error);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", result.Error, StringComparison.Ordinal);
    }

    private async Task<string> UnreachableKubeconfigAsync()
    {
        var file = Path.Combine(Path.GetDirectoryName(Cluster.Kubeconfig)!, "unreachable.kubeconfig");
        var server = (await File.ReadAllLinesAsync(Cluster.Kubeconfig, Cancellation)).First(line => line.Contains("server: ", StringComparison.Ordinal));
        var kubeconfig = (await File.ReadAllTextAsync(Cluster.Kubeconfig, Cancellation)).Replace(server.Trim(), $"server: https://127.0.0.1:{Ports.Free()}", StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, kubeconfig, Cancellation);
        return file;
    }
}
