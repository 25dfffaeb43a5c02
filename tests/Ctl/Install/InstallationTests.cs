using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

public sealed class InstallationTests : IDisposable
{
    private static readonly List<Manifest> All = Read();

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task The_first_time_everything_is_created_CRDs_first()
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        Assert.Equal(All.Select(manifest => $"{manifest} created"), Lines(_output));
        Assert.Empty(Lines(_error));
        Assert.Equal(3, cluster.Written.TakeWhile(key => key.StartsWith("apply customresourcedefinitions/", StringComparison.Ordinal)).Count());
    }

    [Fact]
    public async Task The_second_time_nothing_changes_and_a_setting_changes_what_it_is_about()
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        Assert.True(await Run(cluster, new(Read(("image", "kruise-image:10"), ("controller.replicas", "3")))));
        var second = Lines(_output).Skip(All.Count).ToList();
        Assert.Equal(
            [
                "deployment/kruise-image-controller configured: spec.replicas, spec.template.spec.containers[0].image",
                "daemonset/kruise-image-daemon configured: spec.template.spec.containers[0].image",
            ],
            second.Where(line => !line.EndsWith(" unchanged", StringComparison.Ordinal)));
        Assert.Equal(All.Count, second.Count);
    }

    [Fact]
    public async Task A_server_that_knows_no_CEL_rules_gets_the_CRDs_without_them()
    {
        var cluster = new ApplyServer { Refuse = (_, yaml) => yaml.Contains("x-kubernetes-validations", StringComparison.Ordinal) ? ".x-kubernetes-validations: field not declared in schema" : null };
        Assert.True(await Install(cluster));
        Assert.StartsWith("this API server is older than 1.25", Lines(_output)[0], StringComparison.Ordinal);
        Assert.Equal(All.Select(manifest => $"{manifest} created"), Lines(_output).Skip(1));
    }

    [Theory]
    [InlineData("validatingadmissionpolic", "ValidatingAdmissionPolicy", 4, "older than 1.30")]
    [InlineData("poddisruptionbudgets", "PodDisruptionBudget", 1, "older than 1.21")]
    public async Task A_server_that_lacks_a_newer_kind_goes_without_and_says_what_follows(string plural, string kind, int count, string reason)
    {
        var cluster = new ApplyServer { Lacks = plural };
        Assert.True(await Run(cluster, new(All) { Prune = true }));
        Assert.Equal(count, All.Count(manifest => manifest.Kind.StartsWith(kind, StringComparison.Ordinal)));
        Assert.Equal(count, Lines(_output).Count(line => line.Contains($"left out: this API server is {reason}", StringComparison.Ordinal)));
        Assert.Empty(Lines(_error));
    }

    [Fact]
    public async Task A_refused_object_is_named_and_the_others_go_on()
    {
        var cluster = new ApplyServer { Refuse = (key, _) => key == "deployments/kruise-image-system/kruise-image-controller" ? "quota exceeded" : null };
        Assert.False(await Install(cluster));
        Assert.Equal(["error: deployment/kruise-image-controller: the API server refuses it: quota exceeded"], Lines(_error));
        Assert.Contains("daemonset/kruise-image-daemon created", Lines(_output));
    }

    [Fact]
    public async Task Fields_that_somebody_else_set_stay_unless_they_are_asked_for()
    {
        const string words = "Apply failed with 1 conflict: conflict with \"kubectl\": .spec.replicas";
        var cluster = new ApplyServer
        {
            Refusal = ApiError.Conflict,
            Refuse = (key, yaml) => key.StartsWith("deployments/", StringComparison.Ordinal) && !yaml.EndsWith("force", StringComparison.Ordinal) ? words : null,
        };
        Assert.False(await Install(cluster));
        Assert.Equal([$"error: deployment/kruise-image-controller: somebody else set fields of it: say the same with --set, or make them ours with --force-conflicts: {words}"], Lines(_error));
        Assert.True(await Run(cluster, new(All) { ForceConflicts = true }));
    }

    [Fact]
    public async Task Without_the_Prometheus_Operator_its_monitors_are_refused_with_advice()
    {
        Assert.False(await Run(new ApplyServer { Lacks = "servicemonitors" }, new(Read(("metrics.serviceMonitor", "true")))));
        Assert.StartsWith("error: servicemonitor/kruise-image-controller: the Prometheus Operator's CRDs are not there; install them, or leave metrics.serviceMonitor out", Assert.Single(Lines(_error)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_its_CRDs_nothing_else_is_installed()
    {
        var cluster = new ApplyServer { Refuse = (key, _) => key.StartsWith("customresourcedefinitions/nodeimages", StringComparison.Ordinal) ? "no" : null };
        Assert.False(await Install(cluster));
        Assert.Equal(2, Lines(_output).Count);
    }

    [Fact]
    public async Task A_CRD_that_the_server_does_not_serve_is_explained()
    {
        var cluster = new ApplyServer { Conditions = [ApplyServer.Condition("NamesAccepted", "False", "\"nimg\" is already in use")] };
        Assert.False(await Install(cluster));
        Assert.Contains("the API server does not serve it: \"nimg\" is already in use", Lines(_error)[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_server_ends_the_command_with_one_sentence()
    {
        var failure = await Assert.ThrowsAsync<CommandException>(() => Install(new ApplyServer { Down = true }));
        Assert.Equal(ExitCode.Unreachable, failure.ExitCode);
        Assert.EndsWith(": connection refused", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversion_webhook_is_removed_only_when_asked()
    {
        var cluster = new ApplyServer();
        cluster.Put("customresourcedefinitions", """
            {"metadata":{"name":"imagepulljobs.apps.kruise.io"},"spec":{"conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"]}}},
             "status":{"conditions":[{"type":"Established","status":"True"}]}}
            """);
        Assert.False(await Install(cluster));
        Assert.Contains("--remove-conversion-webhook (docs/migrating-from-openkruise.md)", Assert.Single(Lines(_error)), StringComparison.Ordinal);
        Assert.DoesNotContain(cluster.Written, write => write.Contains("imagepulljobs", StringComparison.Ordinal));

        Assert.True(await Run(cluster, new(All) { RemoveConversionWebhook = true }));
        Assert.Contains("customresourcedefinition/imagepulljobs.apps.kruise.io: conversion webhook removed", Lines(_output));
        Assert.Equal("merge customresourcedefinitions/imagepulljobs.apps.kruise.io", cluster.Written.First(write => write.Contains("imagepulljobs", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("deployments", "kruise-image-system", "kruise-image-controller", "99.0.0", "deployment/kruise-image-controller is of version 99.0.0, this is ")]
    [InlineData("customresourcedefinitions", null, "nodeimages.apps.kruise.io", "99.1.0-rc.1", "customresourcedefinition/nodeimages.apps.kruise.io is of version 99.1.0, this is ")]
    public async Task A_newer_version_is_not_replaced_unless_forced(string plural, string? ns, string name, string version, string sentence)
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        var written = cluster.Written.Count;
        cluster.Objects[$"{plural}/{ObjectKey.Of(ns, name)}"]["metadata"]!["labels"]!["app.kubernetes.io/version"] = version;
        var failure = await Assert.ThrowsAsync<CommandException>(() => Install(cluster));
        Assert.StartsWith(sentence, failure.Message, StringComparison.Ordinal);
        Assert.Equal(written, cluster.Written.Count);
        Assert.True(await Run(cluster, new(All) { Force = true }));
    }

    [Fact]
    public async Task What_Helm_installed_is_Helms()
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        cluster.Objects["daemonsets/kruise-image-system/kruise-image-daemon"]["metadata"]!["labels"]!["app.kubernetes.io/managed-by"] = "Helm";
        var failure = await Assert.ThrowsAsync<CommandException>(() => Install(cluster));
        Assert.Equal("daemonset/kruise-image-daemon was installed by Helm: use helm upgrade, or take it over with --force", failure.Message);
    }

    [Fact]
    public async Task An_upgrade_deletes_what_install_once_applied_and_nothing_of_others()
    {
        var cluster = new ApplyServer();
        Assert.True(await Run(cluster, new(Read(("metrics.serviceMonitor", "true")))));
        cluster.Put("services", """{"metadata":{"name":"by-hand","namespace":"kruise-image-system","labels":{"app.kubernetes.io/name":"kruise-image"},"managedFields":[{"manager":"kubectl","operation":"Apply"}]}}""");
        cluster.Put("services", """{"metadata":{"name":"other","namespace":"x","labels":{"app.kubernetes.io/name":"other"},"managedFields":[{"manager":"kruise-image","operation":"Apply"}]}}""");
        cluster.Put("roles", """{"metadata":{"name":"former","namespace":"x","labels":{"app.kubernetes.io/name":"kruise-image"},"managedFields":[{"manager":"kruise-image","operation":"Apply"}]}}""");
        cluster.Put("services", """{"metadata":{"name":"updated","namespace":"x","labels":{"app.kubernetes.io/name":"kruise-image"},"managedFields":[{"manager":"kruise-image","operation":"Update"}]}}""");
        _output.GetStringBuilder().Clear();
        Assert.True(await Run(cluster, new(All) { Prune = true, DryRun = true }));
        string[] gone = ["podmonitor/kruise-image-daemon deleted", "servicemonitor/kruise-image-controller deleted", "role/former deleted"];
        Assert.Equal(gone.Select(line => $"{line} (dry run)"), Lines(_output).Where(line => line.Contains("deleted", StringComparison.Ordinal)));
        Assert.All(Lines(_output).Take(All.Count), line => Assert.EndsWith("unchanged (dry run)", line, StringComparison.Ordinal));
        Assert.DoesNotContain(cluster.Written, write => write.StartsWith("delete", StringComparison.Ordinal));

        Assert.True(await Run(cluster, new(All) { Prune = true }));
        Assert.Equal(gone, Lines(_output).Where(line => line.EndsWith("deleted", StringComparison.Ordinal)));
        Assert.Contains("services/kruise-image-system/by-hand", cluster.Objects.Keys);
        Assert.Contains("services/x/other", cluster.Objects.Keys);
        Assert.Contains("services/x/updated", cluster.Objects.Keys);
    }

    [Fact]
    public async Task A_dry_run_on_an_empty_cluster_says_what_would_be_created()
    {
        var cluster = new ApplyServer();
        Assert.True(await Run(cluster, new(All) { DryRun = true, Prune = true }));
        Assert.Equal(All.Select(manifest => $"{manifest} created (dry run)"), Lines(_output));
        Assert.Empty(cluster.Objects);
    }

    [Fact]
    public async Task Waiting_ends_when_all_pods_are_new_or_the_time_is_over()
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        var deployment = cluster.Objects["deployments/kruise-image-system/kruise-image-controller"];
        var daemons = cluster.Objects["daemonsets/kruise-image-system/kruise-image-daemon"];
        foreach (var workload in (JsonObject[])[deployment, daemons]) workload["metadata"]!["generation"] = 2;
        deployment["status"] = JsonNode.Parse("""{"observedGeneration":2,"updatedReplicas":2,"availableReplicas":2}""");
        daemons["status"] = JsonNode.Parse("""{"observedGeneration":2,"desiredNumberScheduled":5,"updatedNumberScheduled":4,"numberAvailable":3}""");
        _output.GetStringBuilder().Clear();
        Assert.False(await new Installation(cluster, _output, _error, TimeProvider.System).Run(new(All) { Wait = TimeSpan.Zero }, CancellationToken.None));
        Assert.Equal("deployment/kruise-image-controller rolled out", Lines(_output)[^1]);
        Assert.Equal(
            ["error: daemonset/kruise-image-daemon: not rolled out after 0s: 4 of 5 pods are of this version, 3 are available; look with kubectl -n kruise-image-system describe daemonset/kruise-image-daemon"],
            Lines(_error));
    }

    [Theory]
    [InlineData("""{"spec":{"replicas":2},"status":{"observedGeneration":3,"updatedReplicas":2,"availableReplicas":2}}""", null)]
    [InlineData("""{"spec":{"replicas":2},"status":{"observedGeneration":2,"updatedReplicas":2,"availableReplicas":2}}""", "nobody has looked at it yet")]
    [InlineData("""{"spec":{"replicas":2}}""", "nobody has looked at it yet")]
    [InlineData("""{"spec":{"replicas":2},"status":{"observedGeneration":3,"updatedReplicas":2}}""", "2 of 2 pods are of this version, 0 are available")]
    [InlineData("""{"spec":{},"status":{"observedGeneration":3,"desiredNumberScheduled":0}}""", null)]
    [InlineData("""{"spec":{},"status":{"observedGeneration":3,"desiredNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":3}}""", null)]
    public void What_a_workload_waits_for(string json, string? missing)
    {
        var workload = JsonNode.Parse(json)!;
        workload["metadata"] = JsonNode.Parse("""{"name":"x","generation":3}""");
        Assert.Equal(missing, LiveObject.Missing(JsonSerializer.Deserialize(workload.ToJsonString(), Modes.Ctl.CtlJson.Default.RawObject)!));
    }

    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""", "")]
    [InlineData("""{"a":[1,{"b":2}]}""", """{"a":[1,{"b":3}]}""", "a[1].b")]
    [InlineData("""{"a":[1]}""", """{"a":[1,2]}""", "a")]
    [InlineData("""{"metadata":{"resourceVersion":"1","managedFields":[],"name":"x"},"status":{"a":1}}""", """{"metadata":{"resourceVersion":"2","generation":2,"name":"x"}}""", "")]
    [InlineData("""{"a":1,"b":1,"c":1,"d":1,"e":1}""", """{"f":1}""", "a, b, c and 3 more")]
    public void A_difference_is_told_by_its_places(string before, string after, string sentence)
    {
        using var one = JsonDocument.Parse(before);
        using var other = JsonDocument.Parse(after);
        Assert.Equal(sentence, ObjectDifference.Sentence(one.RootElement, other.RootElement));
    }

    private static List<Manifest> Read(params (string, string)[] words) => [.. Manifests.Read(InstallValues.Read(words))];

    private Task<bool> Install(IKubeClient client) => Run(client, new(All));

    private Task<bool> Run(IKubeClient client, InstallOrder order) => new Installation(client, _output, _error, TimeProvider.System).Run(order, CancellationToken.None);

    private static List<string> Lines(StringWriter writer) => [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
