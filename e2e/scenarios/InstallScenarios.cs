using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// "ctl install", "upgrade" and "uninstall" on a real API server with nothing of ours in it: server-side apply refuses every field that the
/// server does not know, so what passes here is valid. There is no controller-manager: nothing rolls out, no namespace ends.
/// </summary>
public sealed class InstallScenarios(EmptyControlPlane empty) : IClassFixture<EmptyControlPlane>
{
    private const string Deployment = "/apis/apps/v1/namespaces/kruise-image-system/deployments/kruise-image-controller";
    private const string DaemonSet = "/apis/apps/v1/namespaces/kruise-image-system/daemonsets/kruise-image-daemon";
    private const string Crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Monitors = "/apis/monitoring.coreos.com/v1/namespaces/kruise-image-system/servicemonitors/kruise-image-controller";

    /// <summary>Every setting that adds or changes something, so that the server judges it all.</summary>
    private static readonly string[] EverySetting =
    [
        "--image", "registry.example.com/x:9", .. Set("imagePullSecrets=one,two", "logLevel=Debug", "controller.nodeSelector=pool=web", "daemon.nodeSelector=on=true",
            "daemon.runtimeEndpoint=/run/crio/crio.sock", "daemon.credentialProviders.config=/etc/p/c.yaml", "daemon.credentialProviders.binDir=/opt/p", "metrics.serviceMonitor=true"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>One story, because each step needs the one before.</summary>
    [Fact]
    public async Task An_installation_is_made_changed_and_taken_away()
    {
        await MonitorCrdsAsync();
        Assert.Contains("created", (await empty.CtlAsync(["install", .. EverySetting])).Succeeded(), StringComparison.Ordinal);
        Assert.Equal("registry.example.com/x:9", Container(await GetAsync(DaemonSet))["image"]!.GetValue<string>());
        Assert.NotNull(await empty.Api.GetAsync(Monitors, Cancellation));
        var again = (await empty.CtlAsync(["install", .. EverySetting])).Succeeded();
        Assert.DoesNotContain(again.Split('\n'), line => line.EndsWith(" created", StringComparison.Ordinal) || line.Contains(" configured", StringComparison.Ordinal));

        // What would change is told and not done.
        var told = (await empty.CtlAsync("upgrade", "--dry-run", "--set", "controller.replicas=3")).Succeeded();
        Assert.Contains("deployment/kruise-image-controller configured (dry run): ", told, StringComparison.Ordinal);
        Assert.Contains("servicemonitor/kruise-image-controller deleted (dry run)", told, StringComparison.Ordinal);
        Assert.NotNull(await empty.Api.GetAsync(Monitors, Cancellation));
        Assert.Equal(2, (await GetAsync(Deployment))["spec"]!["replicas"]!.GetValue<int>());

        var upgraded = (await empty.CtlAsync("upgrade", "--set", "controller.replicas=3")).Succeeded();
        Assert.Contains("servicemonitor/kruise-image-controller deleted", upgraded, StringComparison.Ordinal);
        Assert.Null(await empty.Api.GetAsync(Monitors, Cancellation));
        Assert.Equal(3, (await GetAsync(Deployment))["spec"]!["replicas"]!.GetValue<int>());
        Assert.Single((await GetAsync(DaemonSet))["spec"]!["template"]!["spec"]!["volumes"]!.AsArray());

        await ConflictAsync();
        await WaitAsync();
        await NewerAsync();
        await UninstallAsync();
    }

    [Fact]
    public async Task A_conversion_webhook_is_explained_and_removed_when_asked()
    {
        var crd = YamlJson.Read(await File.ReadAllTextAsync(Path.Combine(Parts.Manifests, "crds/imagepulljobs.yaml"), Cancellation))!;
        crd["spec"]!["conversion"] = JsonNode.Parse("""
            {"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"service":{"namespace":"kruise-system","name":"kruise-webhook-service"}}}}
            """);
        await empty.Api.DeleteAsync($"{Crds}/imagepulljobs.apps.kruise.io", Cancellation);
        await Eventually.TrueAsync("a former one is gone", TimeSpan.FromSeconds(30), async token => await empty.Api.GetAsync($"{Crds}/imagepulljobs.apps.kruise.io", token) is null, Cancellation);
        await empty.Api.CreateAsync(Crds, crd, Cancellation);
        var refused = await empty.CtlAsync("install", "--crds-only", "--force-conflicts");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--remove-conversion-webhook", refused.Error, StringComparison.Ordinal);
        (await empty.CtlAsync("install", "--crds-only", "--force-conflicts", "--remove-conversion-webhook")).Succeeded();
        Assert.Equal("None", (await GetAsync($"{Crds}/imagepulljobs.apps.kruise.io"))["spec"]!["conversion"]!.Text("strategy"));
    }

    /// <summary>The server is too old for the budget's version; an older version of the kind has the same fields, and judges them.</summary>
    [Fact]
    public async Task The_budget_is_valid_where_an_older_version_of_the_kind_is()
    {
        if (await empty.Api.GetAsync("/apis/policy/v1beta1", Cancellation) is null) Assert.Skip("this server has policy/v1 itself: the installation has proved it");
        var budget = YamlJson.Read(await File.ReadAllTextAsync(Path.Combine(Parts.Manifests, "controller/disruption.yaml"), Cancellation))!;
        budget["apiVersion"] = "policy/v1beta1";
        budget["metadata"]!["namespace"] = "default";
        var applied = await empty.RunAsync(Parts.Find("kubectl"), ["apply", "--server-side", "--dry-run=server", "--filename", "-"], budget.ToJsonString());
        applied.Succeeded();
        budget["spec"]!["maxUnavailabel"] = 1;
        Assert.NotEqual(0, (await empty.RunAsync(Parts.Find("kubectl"), ["apply", "--server-side", "--dry-run=server", "--filename", "-"], budget.ToJsonString())).ExitCode);
    }

    private async Task ConflictAsync()
    {
        // Not "scale": before 1.22 what that subresource sets belongs to nobody.
        (await empty.RunAsync(Parts.Find("kubectl"), ["--namespace", "kruise-image-system", "patch", "deployment", "kruise-image-controller", "--patch", """{"spec":{"replicas":5}}"""])).Succeeded();
        var refused = await empty.CtlAsync("upgrade", "--set", "controller.replicas=3");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("error: deployment/kruise-image-controller: somebody else set fields of it: say the same with --set, or make them ours with --force-conflicts", refused.Error, StringComparison.Ordinal);
        Assert.Contains("replicas", refused.Error, StringComparison.Ordinal);
        (await empty.CtlAsync("upgrade", "--set", "controller.replicas=5")).Succeeded();
        (await empty.CtlAsync("upgrade", "--force-conflicts")).Succeeded();
        Assert.Equal(2, (await GetAsync(Deployment))["spec"]!["replicas"]!.GetValue<int>());
    }

    private async Task WaitAsync()
    {
        var waited = await empty.CtlAsync("upgrade", "--wait", "--timeout", "1s");
        Assert.Equal(1, waited.ExitCode);
        Assert.Contains("not rolled out after 1s", waited.Error, StringComparison.Ordinal);
        foreach (var (path, status) in ((string, string)[])[(Deployment, """{"observedGeneration":99,"replicas":2,"readyReplicas":2,"updatedReplicas":2,"availableReplicas":2}"""),
            (DaemonSet, """{"observedGeneration":99,"currentNumberScheduled":1,"numberMisscheduled":0,"numberReady":1,"desiredNumberScheduled":1,"updatedNumberScheduled":1,"numberAvailable":1}""")])
            await empty.Api.MergePatchAsync($"{path}/status", new JsonObject { ["status"] = JsonNode.Parse(status) }, Cancellation);
        Assert.Contains("daemonset/kruise-image-daemon rolled out", (await empty.CtlAsync("upgrade", "--wait", "--timeout", "10s")).Succeeded(), StringComparison.Ordinal);
    }

    private async Task NewerAsync()
    {
        await empty.Api.MergePatchAsync(Deployment, JsonNode.Parse("""{"metadata":{"labels":{"app.kubernetes.io/version":"99.0.0"}}}""")!, Cancellation);
        var refused = await empty.CtlAsync("upgrade");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("deployment/kruise-image-controller is of version 99.0.0", refused.Error, StringComparison.Ordinal);
        (await empty.CtlAsync("upgrade", "--force", "--force-conflicts")).Succeeded();
    }

    private async Task UninstallAsync()
    {
        const string job = "/apis/apps.kruise.io/v1beta1/namespaces/default/imagepulljobs/kept";
        await empty.Api.CreateAsync("/apis/apps.kruise.io/v1beta1/namespaces/default/imagepulljobs", JsonNode.Parse("""
            {"apiVersion":"apps.kruise.io/v1beta1","kind":"ImagePullJob","metadata":{"name":"kept","finalizers":["apps.kruise.io/image-pull-protection"]},"spec":{"image":"nginx:1.9.1"}}
            """)!, Cancellation);
        var told = (await empty.CtlAsync("uninstall", "--dry-run")).Succeeded();
        Assert.Contains("imagepulljob/default/kept released: our finalizer is off (dry run)", told, StringComparison.Ordinal);
        Assert.NotNull(await empty.Api.GetAsync(Deployment, Cancellation));
        var done = (await empty.CtlAsync("uninstall", "--timeout", "5s")).Succeeded();
        Assert.Equal(told.Replace(" (dry run)", "", StringComparison.Ordinal), done);
        Assert.Null(await empty.Api.GetAsync(Deployment, Cancellation));
        Assert.Null(await empty.Api.GetAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles/kruise-image-view", Cancellation));
        Assert.NotNull((await GetAsync("/api/v1/namespaces/kruise-image-system"))["metadata"]!["deletionTimestamp"]);
        Assert.Null((await GetAsync(job))["metadata"]!["finalizers"]);

        (await empty.CtlAsync("uninstall", "--crds", "--timeout", "5s")).Succeeded();
        await Eventually.TrueAsync("the CRDs are gone, and the job with them", TimeSpan.FromSeconds(30), async token =>
            await empty.Api.GetAsync($"{Crds}/imagepulljobs.apps.kruise.io", token) is null, Cancellation);
    }

    /// <summary>As little of the Prometheus Operator's as makes our objects judged by a schema.</summary>
    private async Task MonitorCrdsAsync()
    {
        foreach (var (kind, plural, list) in ((string, string, string)[])[("ServiceMonitor", "servicemonitors", "endpoints"), ("PodMonitor", "podmonitors", "podMetricsEndpoints")])
        {
            await empty.Api.CreateAsync(Crds, JsonNode.Parse($$$"""
                {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"{{{plural}}}.monitoring.coreos.com"},
                 "spec":{"group":"monitoring.coreos.com","scope":"Namespaced","names":{"kind":"{{{kind}}}","plural":"{{{plural}}}"},
                  "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["selector","{{{list}}}"],"properties":{
                   "selector":{"type":"object","properties":{"matchLabels":{"type":"object","additionalProperties":{"type":"string"} } } },
                   "{{{list}}}":{"type":"array","items":{"type":"object","properties":{"port":{"type":"string"},"path":{"type":"string"} } } } } } } } } }] } }
                """)!, Cancellation);
            await Eventually.TrueAsync($"the API server serves {plural}", TimeSpan.FromSeconds(30), async token =>
                await empty.Api.GetAsync($"/apis/monitoring.coreos.com/v1/{plural}", token) is not null, Cancellation);
        }
    }

    private async Task<JsonNode> GetAsync(string path) => await empty.Api.GetAsync(path, Cancellation) ?? throw new BedException($"{path} is not there");

    private static JsonNode Container(JsonNode workload) => workload["spec"]!["template"]!["spec"]!["containers"]![0]!;

    private static IEnumerable<string> Set(params string[] words) => words.SelectMany(word => (string[])["--set", word]);
}
