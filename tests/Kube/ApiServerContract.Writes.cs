using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Updates, patches and deletions.</summary>
public abstract partial class ApiServerContract
{
    [Fact]
    public async Task Every_change_has_a_higher_version_whatever_its_kind()
    {
        var job = await NewJob();
        var secret = await Make(Wild.Secrets, Object("v1", "Secret", "a"));
        var labelled = (await Merge(Wild.Jobs, """{"metadata":{"labels":{"a":"b"}}}""")).Value!;
        Assert.True(job.Version < secret.Version && secret.Version < labelled.Version);
    }

    [Fact]
    public async Task The_generation_rises_with_the_spec_alone()
    {
        await NewJob();
        Assert.Equal(1, (await Merge(Wild.Jobs, """{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"},"finalizers":["e/f"],"generation":9}}""")).Value!.Metadata.Generation);
        Assert.Equal(1, (await Merge(Wild.Jobs, """{"status":{"desired":3}}""", "status")).Value!.Metadata.Generation);
        Assert.Equal(2, (await Merge(Wild.Jobs, """{"spec":{"parallelism":2}}""")).Value!.Metadata.Generation);
        Assert.Equal(2, (await Merge(Wild.Jobs, """{"spec":{"parallelism":2}}""")).Value!.Metadata.Generation);
    }

    [Fact]
    public async Task A_status_is_written_through_its_own_door_alone()
    {
        var made = await NewJob(top: """ "status":{"desired":7} """);
        Assert.Equal("", made["status"]);
        var main = (await Merge(Wild.Jobs, """{"spec":{"parallelism":2},"status":{"desired":7}}""")).Value!;
        Assert.Equal(("", "2"), (main["status"], main["spec.parallelism"]));
        var status = (await Merge(Wild.Jobs, """{"metadata":{"labels":{"a":"b"},"finalizers":["e/f"]},"spec":{"parallelism":3},"status":{"desired":7}}""", "status")).Value!;
        Assert.Equal(("7", "2", "", ""), (status["status.desired"], status["spec.parallelism"], status["metadata.labels"], status["metadata.finalizers"]));
        var kept = (await Merge(Wild.Jobs, """{"spec":{"parallelism":4},"status":null}""")).Value!;
        Assert.Equal(("7", "4"), (kept["status.desired"], kept["spec.parallelism"]));
        Assert.Equal("", (await Merge(Wild.Jobs, """{"status":null}""", "status")).Value!["status"]);
    }

    [Fact]
    public async Task A_nodes_status_has_a_door_of_its_own_too()
    {
        await Make(Wild.Nodes, Object("v1", "Node", Ns, """ "status":{"nodeInfo":{"kernelVersion":"6"}} """));
        var main = (await Merge(Wild.Nodes, """{"metadata":{"labels":{"a":"b"}},"status":{"conditions":[{"type":"Ready","status":"True"}]}}""", null, Ns)).Value!;
        Assert.Equal(("\"b\"", ""), (main["metadata.labels.a"], main["status.conditions"]));
        var status = (await Merge(Wild.Nodes, """{"spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}]}}""", "status", Ns)).Value!;
        Assert.Equal(("\"True\"", ""), (status["status.conditions.0.status"], status["spec.unschedulable"]));
        Assert.True((await Client.Get(Resources.Nodes, null, Ns, Cancellation)).Value!.IsReady);
    }

    [Fact]
    public async Task A_kind_without_a_status_has_no_such_door()
    {
        await Make(Wild.Secrets, Object("v1", "Secret", "a"));
        Assert.Equal(ApiError.NotFound, (await Merge(Wild.Secrets, """{"metadata":{"labels":{"a":"b"}}}""", "status")).Error);
    }

    [Fact]
    public async Task A_write_that_changes_nothing_has_no_version()
    {
        var made = await NewJob(spec: """ "parallelism":2 """, meta: """ "labels":{"a":"b"} """);
        Assert.Equal(made.Version, (await Merge(Wild.Jobs, """{"spec":{"parallelism":2,"image":"nginx","selector":null},"metadata":{"labels":{"a":"b","c":null}}}""")).Value!.Version);
        Assert.Equal(made.Version, (await JsonPatch(Wild.Jobs, """[{"op":"add","path":"/spec/parallelism","value":2}]""")).Value!.Version);
        Assert.Equal(made.Version, (await Client.Update(Wild.Jobs, made, Cancellation)).Value!.Version);
        var status = (await Merge(Wild.Jobs, """{"status":{"desired":1}}""", "status")).Value!;
        Assert.Equal(status.Version, (await Merge(Wild.Jobs, """{"status":{"desired":1}}""", "status")).Value!.Version);
    }

    [Fact]
    public async Task An_update_replaces_the_version_that_it_was_made_from()
    {
        var lease = new Lease { ApiVersion = "coordination.k8s.io/v1", Kind = "Lease", Metadata = new ObjectMeta { Name = "a", Namespace = Ns }, Spec = new LeaseSpec { HolderIdentity = "x" } };
        var made = (await Client.Create(Resources.Leases, lease, Cancellation)).Value!;
        var mine = await Client.Update(Resources.Leases, made with { Spec = made.Spec with { HolderIdentity = "y" } }, Cancellation);
        Assert.Equal("y", mine.Value!.Spec.HolderIdentity);
        var late = await Client.Update(Resources.Leases, made with { Spec = made.Spec with { HolderIdentity = "z" } }, Cancellation);
        Assert.Equal(ApiError.Conflict, late.Error);
        Assert.Equal("Operation cannot be fulfilled on leases.coordination.k8s.io \"a\": the object has been modified; please apply your changes to the latest version and try again", late.Message);
    }

    [Fact]
    public async Task Some_kinds_must_be_updated_from_a_version_and_some_need_not()
    {
        await Make(Wild.Leases, Object("coordination.k8s.io/v1", "Lease", "a"));
        await NewJob();
        await Make(Wild.Secrets, Object("v1", "Secret", "a"));
        foreach (var (resource, value) in ((Resource<Wild>, Wild)[])[(Wild.Leases, Object("coordination.k8s.io/v1", "Lease", "a")), (Wild.Jobs, Job("a"))])
        {
            var refused = await Client.Update(resource, value, Cancellation);
            Assert.Equal(ApiError.Invalid, refused.Error);
            Assert.Contains("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("\"YQ==\"", (await Client.Update(Wild.Secrets, Object("v1", "Secret", "a", """ "data":{"x":"YQ=="} """), Cancellation)).Value!["data.x"]);
    }

    [Fact]
    public async Task An_update_of_what_is_gone_makes_a_lease_anew_but_nothing_else()
    {
        var made = await Client.Update(Wild.Leases, Object("coordination.k8s.io/v1", "Lease", "a"), Cancellation);
        Assert.Equal((ApiError.None, ""), (made.Error, made.Message));
        await Client.Delete(Wild.Leases, Ns, "a", null, Cancellation);
        Assert.Equal(ApiError.Conflict, (await Client.Update(Wild.Leases, made.Value!, Cancellation)).Error); // it has a uid
        var job = await NewJob();
        await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        Assert.Equal(ApiError.NotFound, (await Client.Update(Wild.Jobs, Job("a", meta: $$""" "resourceVersion":"{{job.Version}}" """), Cancellation)).Error);
    }

    [Fact]
    public async Task A_merge_patch_names_the_version_that_it_was_made_from_or_none()
    {
        var made = await NewJob();
        var version = made["metadata.resourceVersion"];
        Assert.True((await Merge(Wild.Jobs, $$$"""{"metadata":{"resourceVersion":{{{version}}}},"spec":{"parallelism":2}}""")).IsOk);
        Assert.Equal(ApiError.Conflict, (await Merge(Wild.Jobs, $$$"""{"metadata":{"resourceVersion":{{{version}}}},"spec":{"parallelism":3}}""")).Error);
        Assert.Equal(ApiError.Conflict, (await Merge(Wild.Jobs, $$$"""{"metadata":{"resourceVersion":{{{version}}}},"status":{"desired":3}}""", "status")).Error);
        Assert.True((await Merge(Wild.Jobs, """{"spec":{"parallelism":3}}""")).IsOk);
    }

    [Fact]
    public async Task A_merge_patch_merges_maps_replaces_lists_and_takes_away_by_null()
    {
        await NewJob(spec: """ "selector":{"names":["a","b"]},"sandboxConfig":{"labels":{"x":"1","y":"2"}} """);
        var patched = (await Merge(Wild.Jobs, """{"spec":{"selector":{"names":["c"]},"sandboxConfig":{"labels":{"x":null,"z":"3"},"annotations":{"q":null,"r":"4"}},"pullSecrets":null}}""")).Value!;
        Assert.Equal("""["c"]""", patched["spec.selector.names"]);
        Assert.Equal("""{"y":"2","z":"3"}""", patched["spec.sandboxConfig.labels"]);
        Assert.Equal("""{"r":"4"}""", patched["spec.sandboxConfig.annotations"]);
    }

    [Fact]
    public async Task A_json_patch_whose_test_fails_is_a_conflict_and_changes_nothing()
    {
        var made = await NewJob(spec: """ "parallelism":2 """);
        Assert.Equal(ApiError.Conflict, (await JsonPatch(Wild.Jobs, """[{"op":"add","path":"/spec/parallelism","value":5},{"op":"test","path":"/spec/image","value":"other"}]""")).Error);
        Assert.Equal(ApiError.Conflict, (await JsonPatch(Wild.Jobs, """[{"op":"test","path":"/spec/selector/names/0","value":"x"}]""")).Error);
        Assert.Equal(made.Version, (await Get(Wild.Jobs)).Version);
        var version = made["metadata.resourceVersion"];
        var patched = await JsonPatch(Wild.Jobs, $$"""[{"op":"test","path":"/metadata/resourceVersion","value":{{version}}},{"op":"add","path":"/spec/parallelism","value":5}]""");
        Assert.Equal("5", patched.Value!["spec.parallelism"]);
        Assert.Equal(ApiError.Conflict, (await JsonPatch(Wild.Jobs, $$"""[{"op":"test","path":"/metadata/resourceVersion","value":{{version}}},{"op":"add","path":"/spec/parallelism","value":6}]""")).Error);
        Assert.Equal(ApiError.Conflict, (await JsonPatch(Wild.Jobs, $$"""[{"op":"replace","path":"/metadata/resourceVersion","value":{{version}}},{"op":"add","path":"/spec/parallelism","value":6}]""")).Error);
    }

    [Theory]
    [InlineData("""{"op":"remove","path":"/spec/selector"}""")]
    [InlineData("""{"op":"remove","path":"/spec/selector/names"}""")]
    [InlineData("""{"op":"replace","path":"/spec/selector/names","value":[]}""")]
    [InlineData("""{"op":"add","path":"/spec/selector/names","value":[]}""")]
    [InlineData("""{"op":"remove","path":"/spec/pullSecrets/2"}""")]
    [InlineData("""{"op":"add","path":"/spec/pullSecrets/9","value":"x"}""")]
    public async Task A_json_patch_of_what_is_not_there_is_refused(string operation)
    {
        var made = await NewJob(spec: """ "pullSecrets":["a","b"] """);
        Assert.Equal(ApiError.Invalid, (await JsonPatch(Wild.Jobs, $"[{operation}]")).Error);
        Assert.Equal(ApiError.Conflict, (await JsonPatch(Wild.Jobs, $$"""[{"op":"test","path":"/spec/image","value":"nginx"},{{operation}}]""")).Error);
        Assert.Equal(made.Version, (await Get(Wild.Jobs)).Version);
    }

    [Fact]
    public async Task A_json_patch_inserts_appends_replaces_and_removes()
    {
        await NewJob(spec: """ "pullSecrets":["a","b"],"sandboxConfig":{"labels":{"k8s.io/x":"1"}} """);
        var patched = (await JsonPatch(Wild.Jobs, """
            [{"op":"add","path":"/spec/pullSecrets/0","value":"first"},{"op":"add","path":"/spec/pullSecrets/-","value":"last"},{"op":"remove","path":"/spec/pullSecrets/1"},
             {"op":"replace","path":"/spec/pullSecrets/1","value":"c"},{"op":"add","path":"/spec/sandboxConfig/labels/k8s.io~1x","value":"2"},{"op":"add","path":"/spec/sandboxConfig/annotations","value":{"a~b":"3"}}]
            """)).Value!;
        Assert.Equal("""["first","c","last"]""", patched["spec.pullSecrets"]);
        Assert.Equal("""{"labels":{"k8s.io/x":"2"},"annotations":{"a~b":"3"}}""".Length, patched["spec.sandboxConfig"].Length);
        Assert.Contains("\"k8s.io/x\":\"2\"", patched["spec.sandboxConfig"], StringComparison.Ordinal);
    }

    /// <summary>The JSON Patch of the servers is lenient here.</summary>
    [Fact]
    public async Task A_replacement_of_a_field_that_is_not_there_adds_it()
    {
        await NewJob();
        Assert.Equal("""["x"]""", (await JsonPatch(Wild.Jobs, """[{"op":"replace","path":"/spec/pullSecrets","value":["x"]}]""")).Value!["spec.pullSecrets"]);
    }

    [Theory]
    [InlineData(PatchKind.Merge, """{"metadata":{"name":"b"}}""")]
    [InlineData(PatchKind.Merge, """{"metadata":{"namespace":"default"}}""")]
    [InlineData(PatchKind.Json, "{}")]
    public async Task A_patch_that_is_none_is_refused(PatchKind kind, string patch)
    {
        await NewJob();
        Assert.Equal(ApiError.Failed, (await Client.Patch(Wild.Jobs, Ns, "a", new ApiPatch(kind, System.Text.Encoding.UTF8.GetBytes(patch)), Cancellation)).Error);
    }

    /// <summary>How, is not the same for all servers: 1.20 speaks of an error of its own.</summary>
    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    public async Task A_merge_patch_must_be_a_map(string patch)
    {
        var made = await NewJob();
        Assert.False((await Merge(Wild.Jobs, patch)).IsOk);
        Assert.Equal(made.Version, (await Get(Wild.Jobs)).Version);
    }

    [Fact]
    public async Task A_patch_cannot_touch_what_is_the_servers()
    {
        var made = await NewJob();
        Assert.Equal(ApiError.Invalid, (await Merge(Wild.Jobs, """{"metadata":{"uid":"other"}}""")).Error);
        Assert.Equal(ApiError.Invalid, (await Merge(Wild.Jobs, """{"metadata":{"deletionTimestamp":"2001-01-01T00:00:00Z"}}""")).Error);
        var patched = (await Merge(Wild.Jobs, """{"metadata":{"creationTimestamp":null,"generation":null}}""")).Value!;
        Assert.Equal((made.Version, made["metadata.creationTimestamp"], "1", ""), (patched.Version, patched["metadata.creationTimestamp"], patched["metadata.generation"], patched["metadata.deletionTimestamp"]));
    }

    [Fact]
    public async Task What_nothing_holds_is_gone_at_once_and_may_come_again()
    {
        var made = await NewJob();
        var deleted = await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        Assert.Equal((ApiError.None, null), (deleted.Error, deleted.Value));
        Assert.Equal(ApiError.NotFound, (await Client.Get(Wild.Jobs, Ns, "a", Cancellation)).Error);
        var again = await NewJob();
        Assert.NotEqual(made.Metadata.Uid, again.Metadata.Uid);
        Assert.Equal(1, again.Metadata.Generation);
    }

    [Fact]
    public async Task A_deletion_may_name_the_uid_that_it_means()
    {
        var made = await NewJob();
        Assert.Equal(ApiError.Conflict, (await Client.Delete(Wild.Jobs, Ns, "a", "other", Cancellation)).Error);
        Assert.Equal(made.Version, (await Get(Wild.Jobs)).Version);
        Assert.True((await Client.Delete(Wild.Jobs, Ns, "a", made.Metadata.Uid, Cancellation)).IsOk);
        Assert.Equal(ApiError.NotFound, (await Client.Get(Wild.Jobs, Ns, "a", Cancellation)).Error);
    }

    [Fact]
    public async Task A_finalizer_holds_what_is_deleted()
    {
        var made = await NewJob(meta: """ "finalizers":["x/one","x/two"] """);
        var deleted = (await Client.Delete(Wild.Jobs, Ns, "a", made.Metadata.Uid, Cancellation)).Value!;
        Assert.NotNull(deleted.Metadata.DeletionTimestamp);
        Assert.Equal(("0", 2L), (deleted["metadata.deletionGracePeriodSeconds"], deleted.Metadata.Generation));
        Assert.True(deleted.Version > made.Version);
        var again = (await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation)).Value!;
        Assert.Equal(deleted.Version, again.Version);

        var added = await Merge(Wild.Jobs, """{"metadata":{"finalizers":["x/one","x/two","x/three"]}}""");
        Assert.Equal(ApiError.Invalid, added.Error);
        Assert.Contains("metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted", added.Message, StringComparison.Ordinal);
        Assert.True((await Merge(Wild.Jobs, """{"status":{"desired":1}}""", "status")).IsOk);
        Assert.True((await Merge(Wild.Jobs, """{"metadata":{"deletionTimestamp":null,"finalizers":["x/two"]}}""")).IsOk);
        Assert.NotNull((await Get(Wild.Jobs)).Metadata.DeletionTimestamp);
        var last = await Merge(Wild.Jobs, """{"metadata":{"finalizers":null}}""");
        Assert.Equal((ApiError.None, ""), (last.Error, last.Value!["metadata.finalizers"]));
        Assert.Equal(ApiError.NotFound, (await Client.Get(Wild.Jobs, Ns, "a", Cancellation)).Error);
    }

    [Fact]
    public async Task An_empty_list_of_finalizers_is_none()
    {
        await NewJob(meta: """ "finalizers":["x/one"] """);
        await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        Assert.True((await JsonPatch(Wild.Jobs, """[{"op":"test","path":"/metadata/finalizers/0","value":"x/one"},{"op":"add","path":"/metadata/finalizers","value":[]}]""")).IsOk);
        Assert.Equal(ApiError.NotFound, (await Client.Get(Wild.Jobs, Ns, "a", Cancellation)).Error);
    }

    [Fact]
    public async Task A_pod_that_runs_on_a_node_stays_until_the_kubelet_is_done()
    {
        Assert.Equal("\"Pending\"", (await Make(Wild.Pods, Pod("a", Ns)))["status.phase"]);
        var deleted = (await Client.Delete(Wild.Pods, Ns, "a", null, Cancellation)).Value!;
        Assert.Equal("30", deleted["metadata.deletionGracePeriodSeconds"]);
        Assert.NotNull((await Client.Get(Resources.Pods, Ns, "a", Cancellation)).Value!.Metadata.DeletionTimestamp);
        await Make(Wild.Pods, Pod("b", ""));
        Assert.Equal("b", (await Client.Delete(Wild.Pods, Ns, "b", null, Cancellation)).Value!.Metadata.Name); // told, though it is gone
        Assert.Equal(ApiError.NotFound, (await Client.Get(Wild.Pods, Ns, "b", Cancellation)).Error);
    }
}
