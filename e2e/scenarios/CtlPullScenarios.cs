using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>"ctl pull" of several images, of files and of workloads, and its dry run against real registries.</summary>
public sealed class CtlPullScenarios(SharedCluster shared) : SecretScenario(shared)
{
    private string RegistryHere => Cluster.Registry.Address.Authority;

    [Fact]
    public async Task Several_images_are_one_list_that_is_followed_to_its_end()
    {
        var first = await PushAsync("ctl-several-1");
        var second = await PushAsync("ctl-several-2");
        AtTheEnd(() => DeleteListAsync("ctl-several"));
        var result = await Cluster.CtlAsync(["pull", first.Reference, second.Reference, first.Reference, "--name", "ctl-several", "--parallelism", "10", "--wait"], Cancellation);
        Assert.True(result.ExitCode == 0, $"{result.Output}{result.Error}");
        Assert.Contains("all 2 images are on all their nodes", result.Output, StringComparison.Ordinal);
        await HasImageAsync(first, Nodes);
        await HasImageAsync(second, Nodes);
    }

    [Fact]
    public async Task Of_several_images_one_that_is_not_there_ends_with_another_code_and_is_named()
    {
        var image = await PushAsync("ctl-one-of-two");
        AtTheEnd(() => DeleteListAsync("ctl-one-of-two"));
        var result = await Cluster.CtlAsync(["pull", image.Reference, "e2e/ctl-not-there:1", "--name", "ctl-one-of-two", "--parallelism", "10", "--wait", "-o", "json"], Cancellation);
        Assert.Equal(1, result.ExitCode);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal((2, 1, "Failed", 1), (lines[^1].Number("jobs"), lines[^1].Number("succeeded"), lines[^1].Text("outcome"), lines[^1].Number("exitCode")));
        Assert.Contains(lines, line => line["image"]?.GetValue<string>() == "e2e/ctl-not-there:1" && line["outcome"]?.GetValue<string>() == "Failed");
        await HasImageAsync(image, Nodes);
    }

    [Fact]
    public async Task A_file_with_a_cron_job_is_pulled_with_its_init_containers_where_it_may_run()
    {
        var main = await PushAsync("ctl-file-main");
        var init = await PushAsync("ctl-file-init");
        AtTheEnd(() => Cluster.KubectlAsync(["delete", "imagelistpulljobs", "--all", "--wait=false"], Cancellation));
        var yaml = $$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: report}
            ---
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: ctl-report}
            spec:
              schedule: "@daily"
              jobTemplate:
                spec:
                  template:
                    spec:
                      nodeName: {{{Nodes[0]}}}
                      initContainers: [{name: init, image: "{{{init.Reference}}}"}]
                      containers: [{name: main, image: "{{{main.Reference}}}"}]
            """;
        var file = Path.Combine(Path.GetDirectoryName(Cluster.Kubeconfig)!, "ctl-report.yaml");
        await File.WriteAllTextAsync(file, yaml, Cancellation);
        var result = await Cluster.CtlAsync(["pull", "-f", file, "--wait"], Cancellation);
        Assert.True(result.ExitCode == 0, $"{result.Output}{result.Error}");
        Assert.Contains("note: skipped, without images: service/report", result.Error, StringComparison.Ordinal);
        await HasImageAsync(main, Nodes[0]);
        await HasImageAsync(init, Nodes[0]);
        await LacksImageAsync(main, Nodes[1]);
    }

    [Fact]
    public async Task A_live_deployment_is_pulled_with_the_secrets_of_its_service_account()
    {
        const string ns = "ctl-from";
        await NamespaceAsync(ns);
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, "ctl-from");
        await CredentialAsync(ns, "registry", PrivateRegistries.PasswordHost, Users.Add("ctl-from"));
        await Api.CreateAsync($"/api/v1/namespaces/{ns}/serviceaccounts", JsonNode.Parse("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"web"},"imagePullSecrets":[{"name":"registry"}]}""")!, Cancellation);
        AtTheEnd(() => Api.DeleteAsync($"/api/v1/namespaces/{ns}/serviceaccounts/web", Cancellation));
        await Api.CreateAsync($"/apis/apps/v1/namespaces/{ns}/deployments", JsonNode.Parse($$$"""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
             "spec":{"serviceAccountName":"web","containers":[{"name":"web","image":"{{{image.Reference}}}"}] } } } }
            """)!, Cancellation);
        AtTheEnd(() => Api.DeleteAsync($"/apis/apps/v1/namespaces/{ns}/deployments/web", Cancellation));

        var result = await Cluster.CtlAsync(["pull", "--from", "deploy/web", "-n", ns, "--name", "web", "--parallelism", "10", "--wait"], Cancellation);
        Assert.True(result.ExitCode == 0, $"{result.Output}{result.Error}");
        await AdoptAsync(ns, "web");
        await HasImageAsync(image, Nodes);
    }

    [Fact]
    public async Task A_dry_run_knows_sizes_from_the_registry_and_creates_nothing()
    {
        var image = await PushAsync("ctl-dry-run", kilobytes: 2000);
        var reference = $"{RegistryHere}/{image.Repository}:{image.Tag}";
        var result = await Cluster.CtlAsync(["pull", reference, "--name", "ctl-dry-run", "--dry-run"], Cancellation);
        Assert.True(result.ExitCode == 0, $"{result.Output}{result.Error}");
        Assert.Contains("3 nodes: ", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"2\.[01] MB +6\.[0-3] MB", result.Output);
        Assert.Contains("nothing was created", result.Error, StringComparison.Ordinal);
        Assert.Null(await Api.GetAsync(Paths.Job("default", "ctl-dry-run"), Cancellation));
    }

    [Fact]
    public async Task A_dry_run_shows_a_registry_the_jobs_pull_secret_and_tells_no_password()
    {
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, "ctl-dry-private");
        var host = Registries[PrivateRegistries.PasswordHost].Address.Authority;
        var user = Users.Add("ctl-dry-private");
        await CredentialAsync("default", "ctl-dry-private", host, user);
        var reference = $"{host}/{image.Repository}:{image.Tag}";
        var without = await Cluster.CtlAsync(["pull", reference, "--dry-run"], Cancellation);
        Assert.Contains($"size not known: {host} does not let us in", without.Output, StringComparison.Ordinal);
        var with = await Cluster.CtlAsync(["pull", reference, "--pull-secret", "ctl-dry-private", "--dry-run"], Cancellation);
        Assert.True(with.ExitCode == 0, $"{with.Output}{with.Error}");
        Assert.DoesNotContain("not known: " + host, with.Output, StringComparison.Ordinal);
        Assert.Matches(@"\d+\.\d kB +\d+\.\d kB", with.Output);
        Assert.DoesNotContain(user.Password, with.Output + with.Error + without.Output + without.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_dry_run_prints_can_be_applied()
    {
        var image = await PushAsync("ctl-apply");
        var yaml = (await Cluster.CtlAsync(["pull", image.Reference, "--parallelism", "10", "--dry-run", "-o", "yaml"], Cancellation)).Succeeded();
        var applied = await Cluster.KubectlAsync(["apply", "-o", "name", "--filename", "-"], Cancellation, yaml);
        var name = applied.Trim().Split('/')[1];
        var job = await AdoptAsync("default", name);
        await job.CompletedAsync(nodes: 3);
        Assert.Contains("unchanged", await Cluster.KubectlAsync(["apply", "--filename", "-"], Cancellation, yaml), StringComparison.Ordinal);
    }

    private Task DeleteListAsync(string name) => Api.DeleteAsync(Paths.List("default", name), Cancellation);
}
