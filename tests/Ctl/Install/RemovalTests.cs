using System.Text.Json.Nodes;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>"ctl uninstall": what goes, in which order, and what must stay.</summary>
public sealed class RemovalTests : IDisposable
{
    private const string Guard = "apps.kruise.io/image-pull-protection";

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task A_dry_run_tells_all_and_changes_nothing()
    {
        var cluster = await Installed();
        Job(cluster, "warm", Guard);
        var before = cluster.Objects.ToDictionary(pair => pair.Key, pair => pair.Value.ToJsonString());
        var written = cluster.Written.Count;
        Assert.True(await Run(cluster, new(DryRun: true, Crds: true, Force: false, TimeSpan.Zero)));
        Golden.Check("uninstall-crds-dry-run", _output.ToString());
        Assert.Equal(written, cluster.Written.Count);
        Assert.Equal(before, cluster.Objects.ToDictionary(pair => pair.Key, pair => pair.Value.ToJsonString()));
    }

    [Fact]
    public async Task Everything_of_ours_goes_and_jobs_stay_without_our_finalizer()
    {
        var cluster = await Installed(("metrics.serviceMonitor", "true"));
        Job(cluster, "warm", "theirs", Guard);
        Job(cluster, "free");
        cluster.Put("nodeimages", """{"metadata":{"name":"node-1"},"spec":{}}""");
        cluster.Put("roles", """{"metadata":{"name":"former","namespace":"x","labels":{"app.kubernetes.io/name":"kruise-image"},"managedFields":[{"manager":"kruise-image","operation":"Apply"}]}}""");
        cluster.Put("services", """{"metadata":{"name":"theirs","namespace":"x","labels":{"app.kubernetes.io/name":"kruise-image"}}}""");
        Assert.True(await Run(cluster, new(DryRun: false, Crds: false, Force: false, TimeSpan.Zero)));
        Assert.Equal(
            [
                "customresourcedefinitions/imagelistpulljobs.apps.kruise.io", "customresourcedefinitions/imagepulljobs.apps.kruise.io", "customresourcedefinitions/nodeimages.apps.kruise.io",
                "imagepulljobs/default/free", "imagepulljobs/default/warm", "nodeimages/node-1", "services/x/theirs",
            ],
            cluster.Objects.Keys);
        Assert.Equal("""["theirs"]""", cluster.Objects["imagepulljobs/default/warm"]["metadata"]!["finalizers"]!.ToJsonString());
        Assert.Contains("imagepulljob/default/warm released: our finalizer is off", Lines(_output));
        Assert.DoesNotContain("imagepulljob/default/free released: our finalizer is off", Lines(_output));
        // Its finalizer comes off when nobody can put it on again.
        var writes = cluster.Written;
        Assert.True(writes.IndexOf("delete deployments/kruise-image-system/kruise-image-controller") < writes.IndexOf("merge imagepulljobs/default/warm"));
        Assert.Equal(["delete namespaces/kruise-image-system", "delete namespaces/kruise-daemon-config"], writes.TakeLast(2).OrderDescending());
    }

    [Fact]
    public async Task With_CRDs_jobs_go_while_the_controller_runs_and_the_CRDs_at_the_end()
    {
        var cluster = await Installed();
        Job(cluster, "warm", Guard);
        cluster.Put("imagelistpulljobs", """{"metadata":{"name":"all","namespace":"default"}}""");
        cluster.Lives = server =>
        {
            // The controller: copies are gone, so is the finalizer.
            if (server.Objects.ContainsKey("deployments/kruise-image-system/kruise-image-controller")
                && server.Objects.GetValueOrDefault("imagepulljobs/default/warm")?["metadata"]!["deletionTimestamp"] is not null) server.Objects.Remove("imagepulljobs/default/warm");
        };
        Assert.True(await Run(cluster, new(DryRun: false, Crds: true, Force: false, TimeSpan.FromMinutes(1))));
        Assert.Empty(cluster.Objects);
        var deleted = cluster.Written.Where(write => write.StartsWith("delete ", StringComparison.Ordinal)).Select(write => write[7..].Split('/')[0]).Distinct().ToList();
        Assert.Equal(["imagelistpulljobs", "imagepulljobs", "daemonsets", "deployments"], deleted.Take(4));
        Assert.Equal(["namespaces", "customresourcedefinitions"], deleted.TakeLast(2));
    }

    /// <summary>The controller was killed long ago: its finalizers, and OpenKruise's on what is going, would hold the jobs for ever.</summary>
    [Fact]
    public async Task Without_a_controller_we_take_the_finalizers_off_ourselves()
    {
        var cluster = await Installed();
        Job(cluster, "warm", "apps.kruise.io/fake-finalizer", Guard);
        Job(cluster, "foreign", Guard, "somebody/else");
        Assert.True(await Run(cluster, new(DryRun: false, Crds: true, Force: false, TimeSpan.Zero)));
        Assert.Equal(["imagepulljobs/default/foreign"], cluster.Objects.Keys);
        Assert.Equal("""["somebody/else"]""", cluster.Objects["imagepulljobs/default/foreign"]["metadata"]!["finalizers"]!.ToJsonString());
    }

    [Theory]
    [InlineData("deployments", """{"metadata":{"name":"kruise-controller-manager","namespace":"kruise-system"}}""")]
    [InlineData("customresourcedefinitions", """{"metadata":{"name":"clonesets.apps.kruise.io"}}""")]
    public async Task Beside_OpenKruise_what_is_its_own_too_stays(string plural, string sign)
    {
        var cluster = await Installed();
        cluster.Put(plural, sign);
        cluster.Put("secrets", Copy("imagepull.default.registry"));
        cluster.Put("secrets", Copy("registry-x7k2p"));
        var refused = await Assert.ThrowsAsync<CommandException>(() => Run(cluster, new(DryRun: false, Crds: true, Force: false, TimeSpan.Zero)));
        Assert.StartsWith("OpenKruise runs in this cluster, and the CRDs are its own too", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(cluster.Written, write => write.StartsWith("delete", StringComparison.Ordinal));

        Assert.True(await Run(cluster, new(DryRun: false, Crds: false, Force: false, TimeSpan.Zero)));
        Assert.Contains("namespaces/kruise-daemon-config", cluster.Objects.Keys);
        Assert.Contains("secrets/kruise-daemon-config/registry-x7k2p", cluster.Objects.Keys);
        Assert.DoesNotContain("secrets/kruise-daemon-config/imagepull.default.registry", cluster.Objects.Keys);
        Assert.DoesNotContain("namespaces/kruise-image-system", cluster.Objects.Keys);

        Assert.True(await Run(cluster, new(DryRun: false, Crds: true, Force: true, TimeSpan.Zero)));
        Assert.DoesNotContain("customresourcedefinitions/nodeimages.apps.kruise.io", cluster.Objects.Keys);
    }

    [Fact]
    public async Task An_object_of_our_name_that_is_not_ours_stays()
    {
        var cluster = new ApplyServer();
        cluster.Put("clusterroles", """{"metadata":{"name":"kruise-image-view"}}""");
        Assert.True(await Run(cluster, new(DryRun: false, Crds: false, Force: false, TimeSpan.Zero)));
        Assert.Equal(["clusterroles/kruise-image-view"], cluster.Objects.Keys);
        Assert.Equal(["nothing of kruise-image is installed in this cluster"], Lines(_error));
    }

    [Fact]
    public async Task Pods_that_do_not_end_are_told_and_what_Helm_installed_is_Helms()
    {
        var cluster = await Installed();
        cluster.Put("pods", """{"metadata":{"name":"c-1","namespace":"kruise-image-system","labels":{"app.kubernetes.io/name":"kruise-image","app.kubernetes.io/component":"controller"}}}""");
        cluster.Objects["deployments/kruise-image-system/kruise-image-controller"]["metadata"]!["labels"]!["app.kubernetes.io/managed-by"] = "Helm";
        var refused = await Assert.ThrowsAsync<CommandException>(() => Run(cluster, new(DryRun: false, Crds: false, Force: false, TimeSpan.Zero)));
        Assert.Equal("deployment/kruise-image-controller in kruise-image-system was installed by Helm: use helm uninstall, or --force", refused.Message);
        Assert.False(await Run(cluster, new(DryRun: false, Crds: false, Force: true, TimeSpan.Zero)));
        Assert.StartsWith("error: the controller's pods still run after 0s", Assert.Single(Lines(_error)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_is_told_and_the_rest_goes_on()
    {
        var cluster = await Installed(refuse: (key, body) => body == "delete" && key.StartsWith("services/", StringComparison.Ordinal) ? "protected" : null);
        Assert.False(await Run(cluster, new(DryRun: false, Crds: false, Force: false, TimeSpan.Zero)));
        Assert.Equal(["error: service/kruise-image-controller-metrics in kruise-image-system: protected"], Lines(_error));
        Assert.DoesNotContain("namespaces/kruise-image-system", cluster.Objects.Keys);
    }

    private static async Task<ApplyServer> Installed(params (string, string)[] words) => await Installed((_, _) => null, words);

    private static async Task<ApplyServer> Installed(Func<string, string, string?> refuse, params (string, string)[] words)
    {
        var cluster = new ApplyServer { Refuse = refuse };
        using var output = new StringWriter();
        Assert.True(await new Installation(cluster, output, output, TimeProvider.System).Run(new([.. Manifests.Read(InstallValues.Read(words))]), CancellationToken.None));
        return cluster;
    }

    private static void Job(ApplyServer cluster, string name, params string[] finalizers)
    {
        var job = cluster.Put("imagepulljobs", $$$"""{"metadata":{"name":"{{{name}}}","namespace":"default"},"spec":{"image":"nginx:1"}}""");
        if (finalizers.Length > 0) job["metadata"]!["finalizers"] = new JsonArray([.. finalizers.Select(finalizer => JsonValue.Create(finalizer))]);
    }

    private static string Copy(string name) =>
        $$$"""{"metadata":{"name":"{{{name}}}","namespace":"kruise-daemon-config","labels":{"imagepulljobs.kruise.io/source-uid":"u"} } }""";

    private Task<bool> Run(IKubeClient client, RemovalOrder order) =>
        new Removal(client, order, new Terminal(_output, _error, false, false, 80), TimeProvider.System).Run(CancellationToken.None);

    private static List<string> Lines(StringWriter writer) => [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
