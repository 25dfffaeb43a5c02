using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Doctor;
using KruiseImage.Reconcile.Kube;
using Xunit;
using static KruiseImage.Tests.Ctl.DoctorSamples;

namespace KruiseImage.Tests.Ctl;

/// <summary>Each finding of "ctl doctor": it comes when its part is broken, and nothing comes of an installation that is well.</summary>
public class DoctorTests
{
    [Fact]
    public void Nothing_is_found_where_nothing_is_wrong() => Assert.All(DoctorReport.Of(Healthy), finding => Assert.Equal((Level.Ok, (string?)null), (finding.Level, finding.Advice)));

    [Fact]
    public void Every_finding_that_is_not_well_says_what_to_do_and_no_check_is_silent()
    {
        var broken = DoctorReport.Of(new DoctorFacts { Now = Now });
        Assert.All(broken.Where(finding => finding.Level == Level.Problem), finding => Assert.NotNull(finding.Advice));
        Assert.Equal(DoctorReport.Of(Healthy).Select(finding => finding.Check).Distinct().Order(), broken.Select(finding => finding.Check).Distinct().Order());
    }

    [Theory]
    [InlineData(24, "CEL rules", "ValidatingAdmissionPolicy")]
    [InlineData(29, "ValidatingAdmissionPolicy")]
    [InlineData(30)]
    public void An_old_server(int minor, params string[] told)
    {
        var findings = Not(Level.Ok, Healthy with { Server = new ServerInfo($"v1.{minor}.0", minor, Now) });
        Assert.Equal(told.Length, findings.Count);
        Assert.All(findings.Zip(told), pair => Assert.Contains(pair.Second, pair.First.Message, StringComparison.Ordinal));
        Assert.All(findings, finding => Assert.Equal(Level.Warning, finding.Level));
    }

    [Fact]
    public void Rules_that_an_old_server_drops_are_no_difference()
    {
        var facts = Healthy with { Crds = [.. Healthy.Crds.Select(crd => crd with { Theirs = Raw(WithoutRules(crd.Theirs.Value!.Json.GetRawText())) })] };
        Assert.Equal(3, Not(Level.Ok, facts).Count);
        Assert.DoesNotContain(DoctorReport.Of(facts with { Server = new ServerInfo("v1.20.0", 20, Now) }), finding => finding.Check == "crds" && finding.Level != Level.Ok);
    }

    [Fact]
    public void A_missing_CRD() => Single(Level.Problem, "the CRD nodeimages.apps.kruise.io is missing", Healthy with { Crds = Healthy.Crds.With(Crd, null) });

    [Fact]
    public void A_CRD_of_another_version() => Single(Level.Warning, "first at spec.versions[0].schema.openAPIV3Schema.properties.status.properties.more",
        Healthy with { Crds = Healthy.Crds.With(Crd, crd => Replace(crd, "\"desired\":{", "\"more\":{\"type\":\"string\"},\"desired\":{")) });

    [Fact]
    public void A_CRD_that_is_not_served() => Single(Level.Problem, "is not served", Healthy with { Crds = Healthy.Crds.With(Crd, crd => Replace(crd, "\"Established\",\"status\":\"True\"", "\"Established\",\"status\":\"False\"")) });

    [Fact]
    public void A_conversion_webhook_of_OpenKruise() => Single(Level.Problem, "conversion webhook", Healthy with { Crds = Healthy.Crds.With(Crd, crd => Replace(crd, "\"strategy\":\"None\"", "\"strategy\":\"Webhook\"")) });

    [Fact]
    public void A_missing_role() => Single(Level.Problem, "clusterrole/kruise-image-daemon is missing", Healthy with { Rbac = Healthy.Rbac.With("clusterrole/kruise-image-daemon", null) });

    [Theory]
    [InlineData("\"verbs\":[\"patch\"]", "\"verbs\":[\"patch\",\"update\"]")]
    [InlineData("\"nodeimages/status\"", "\"nodeimages\"")]
    public void A_role_with_other_rules(string rule, string other) => Single(
        Level.Problem, "clusterrole/kruise-image-daemon is not as this version needs it, first at rules[1]", Healthy with { Rbac = Healthy.Rbac.With("clusterrole/kruise-image-daemon", role => Replace(role, rule, other)) });

    [Fact]
    public void A_binding_of_somebody_else() => Single(Level.Problem, "first at subjects[0].name",
        Healthy with { Rbac = Healthy.Rbac.With("clusterrolebinding/kruise-image-daemon", binding => Replace(binding, "\"ServiceAccount\",\"name\":\"kruise-image-daemon\"", "\"ServiceAccount\",\"name\":\"other\"")) });

    [Fact]
    public void Roles_that_may_not_be_read() =>
        Single(Level.NotChecked, "not checked: you may not read clusterroles", Healthy with { Rbac = [.. Healthy.Rbac.Select(item => item with { Theirs = Forbidden<Modes.Ctl.RawObject>("read clusterroles") })] });

    [Fact]
    public void A_missing_policy() => Single(Level.Warning, "missing: the token of one daemon", Healthy with { Policies = [.. Healthy.Policies.Select(item => item with { Theirs = default })] });

    [Fact]
    public void What_this_person_may_not_do() => Single(Level.Warning, "you may not list nodeimages", Healthy with { Access = [("list nodeimages", Allowed(false))] });

    [Fact]
    public void OpenKruise_beside_us()
    {
        Single(Level.Problem, "kruise-controller-manager runs with image pulling on", Healthy with { OpenKruise = new() { Manager = Workload(1, 1) } });
        Single(Level.Problem, "DaemonSet kruise-daemon is there", Healthy with { OpenKruise = new() { Daemon = Workload() } });
        Assert.Empty(Not(Level.Ok, Healthy with { OpenKruise = new() { Manager = Workload(1, 1, "--feature-gates=ImagePullJobGate=false,KruiseDaemon=false") } }));
        var webhook = Raw("""{"metadata":{"name":"kruise-validating-webhook-configuration"},"webhooks":[{"name":"vimagepulljob.kb.io"}]}""");
        Single(Level.Problem, "kruise-validating-webhook-configuration still decide about our kinds", Healthy with { OpenKruise = new() { Webhooks = [webhook] } });
        Assert.Empty(Not(Level.Ok, Healthy with { OpenKruise = new() { Webhooks = [Raw("""{"metadata":{"name":"x"},"webhooks":[{"name":"vcloneset.kb.io"}]}""")] } }));
    }

    [Theory]
    [InlineData(2, 0, Level.Problem, "none of 2 controllers is available")]
    [InlineData(2, 1, Level.Warning, "1 of 2 controllers are available")]
    [InlineData(0, 0, Level.Problem, "scaled to 0")]
    public void Controllers_that_are_not_there(int replicas, int available, Level level, string words) => Single(level, words, Healthy with { Controller = Workload(replicas, available) });

    [Fact]
    public void Nobody_leads()
    {
        Single(Level.Problem, "no controller leads: a renewed the lease 90s ago", Healthy with { Lease = Lease("a", 90) });
        Single(Level.Problem, "no controller leads, nor ever did", Healthy with { Lease = default });
        Single(Level.Problem, "handed the lease over", Healthy with { Lease = Lease("", 90) });
        // The age is told by the server's clock, or a laptop's would call a leader dead.
        Single(Level.Warning, "differ by 10m", Healthy with { Now = Now.AddMinutes(10) });
    }

    [Fact]
    public void A_controller_outside_of_the_cluster_is_enough() => Single(Level.Warning, "a controller runs elsewhere", Healthy with { Controller = default });

    [Fact]
    public void A_controllers_clock() => Single(Level.Problem, "the controller's clock is 10m ahead", Healthy with { Lease = Lease("a", -600) });

    [Fact]
    public void Nodes_without_a_daemon()
    {
        var nodes = Some(Node("node-1"), Node("node-2"), Node("node-3"), Node("node-4"), Node("off", isReady: false), Node("win", os: "windows"));
        Assert.Equal(["node node-4 has no NodeImage: no controller made one", "no daemon pod runs on node node-4"], Not(Level.Ok, Healthy with { Nodes = nodes }).Select(finding => finding.Message));
        Single(Level.Problem, "no daemon pod runs on node node-3", Healthy with { Pods = Some([.. Healthy.Pods.Value!.SkipLast(1)]) });
        Single(Level.Problem, "no daemon answers on node node-2", Healthy with { NodeImages = Some(Answering("node-1"), Unanswered("node-2", 61), Idle("node-3")) });
        Assert.Empty(Not(Level.Ok, Healthy with { NodeImages = Some(Answering("node-1"), Unanswered("node-2", 59), Idle("node-3")) }));
    }

    /// <summary>Daemons may run as plain processes: what they write is enough.</summary>
    [Fact]
    public void Without_pods_daemons_are_judged_by_what_they_answer()
    {
        var bare = Healthy with { Pods = Some<ComponentPod>(), Daemons = default, Controller = default };
        var findings = Not(Level.Ok, bare with { Lease = Healthy.Lease });
        Assert.Equal(["controller", "daemons", "versions"], findings.Select(finding => finding.Check).Order());
        Assert.Contains("whether a daemon runs on node node-3 is not known", findings.Single(finding => finding.Check == "daemons").Message, StringComparison.Ordinal);
        Assert.DoesNotContain(DoctorReport.Of(bare with { NodeImages = Some(Answering("node-1"), Answering("node-2"), Answering("node-3")) }), finding => finding.Check == "daemons" && finding.Level != Level.Ok);
    }

    [Fact]
    public void A_daemon_that_does_not_run_says_why()
    {
        var crash = Pod("daemon", "node-3", new() { Waiting = new() { Reason = "CrashLoopBackOff", Message = "back-off 5m0s" } }, new() { Terminated = new() { ExitCode = 3 } });
        Single(Level.Problem, "the daemon's pod on node node-3: CrashLoopBackOff: back-off 5m0s; it ended with code 3", Healthy with { Pods = Some([.. Healthy.Pods.Value!.SkipLast(1), crash]) });
    }

    [Fact]
    public void A_runtime_that_does_not_answer()
    {
        var away = Samples.Node("node-2", new() { Tag = "1.9.1", Version = 1, Phase = PullPhase.Pulling, StartTime = Now, Reason = PullReason.RuntimeUnavailable, Message = "no container runtime answers at unix:///run/x" });
        Single(Level.Problem, "the container runtime does not answer on node node-2: no container runtime answers at unix:///run/x", Healthy with { NodeImages = Some(Answering("node-1"), away, Idle("node-3")) });
    }

    [Fact]
    public void Versions_that_differ()
    {
        var pods = Some([.. Healthy.Pods.Value!.SkipLast(1), Pod("daemon", "node-3", image: "registry.example.com/kruise-image:9.9.9")]);
        Assert.Equal(["pods run from different images", "this ctl is"], Not(Level.Ok, Healthy with { Pods = pods }).Select(finding => finding.Message[..(finding.Message.StartsWith("pods", StringComparison.Ordinal) ? 30 : 11)]));
        Assert.Empty(Not(Level.Ok, Healthy with { Pods = Some(Pod("daemon", "node-1", image: "x:nightly"), Pod("daemon", "node-2", image: "x:nightly"), Pod("daemon", "node-3", image: "x:nightly")) }));
    }

    [Theory]
    [InlineData(null, "the pull secret \"pull\" of job default/a does not exist in namespace \"default\"")]
    [InlineData("{}", "holds no credential: .dockerconfigjson has no \"auths\"")]
    [InlineData("""{"auths":{"r.example":{"auth":"bWU6aHVudGVyMg=="},"q.example":{}}}""", "is not used: the entry of q.example is empty")]
    public void A_pull_secret_that_is_no_good(string? text, string words)
    {
        var secret = text is null ? default : (Fact<Secret>)Secret(text);
        var finding = Assert.Single(Not(Level.Ok, Healthy with { Secrets = new Dictionary<string, SecretFact> { ["default/pull"] = new(["default/a"], secret, GoodSecret) } }));
        Assert.Contains(words, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", finding.Message + finding.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("bWU6", finding.Message + finding.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pull_secret_without_a_copy_or_that_may_not_be_read()
    {
        Single(Level.Problem, "has not been copied for the daemons", Healthy with { Secrets = new Dictionary<string, SecretFact> { ["default/pull"] = new(["default/a"], GoodSecret, default) } });
        Single(Level.NotChecked, "you may not read secrets", Healthy with { Secrets = new Dictionary<string, SecretFact> { ["default/pull"] = new(["default/a"], Forbidden<Secret>("read secrets"), default) } });
        Assert.Empty(Not(Level.Ok, Healthy with { Secrets = new Dictionary<string, SecretFact> { ["default/pull"] = new(["default/a"], GoodSecret, GoodSecret) } }));
    }

    [Fact]
    public void A_registry_that_let_nobody_in()
    {
        var job = Samples.Job(Samples.Failed(1, new FailureGroup { Reason = PullReason.Auth, Count = 2, Message = "the registry refused the credentials: 401 Unauthorized" }));
        Single(Level.Warning, "the registry let no node in for job default/nginx-1-9-1-x7k2p: the registry refused the credentials: 401 Unauthorized", Healthy with { Jobs = Some(job) });
        Assert.Empty(Not(Level.Ok, Healthy with { Jobs = Some(Samples.Job(Samples.Failed(1, Samples.NotFound(2)))) }));
    }

    [Theory]
    [InlineData("doctor", false, 80)]
    [InlineData("doctor-screen-80", true, 80)]
    [InlineData("doctor-screen-200", true, 200)]
    public void A_report(string golden, bool isScreen, int width)
    {
        using var page = new Page(isScreen, width);
        Assert.Equal(ExitCode.Failed, DoctorReport.Write(page.Terminal, DoctorReport.Of(Ill), isJson: false));
        Golden.Check(golden, page.Text + page.Notes);
    }

    [Fact]
    public void A_report_for_programs()
    {
        using var page = new Page();
        Assert.Equal(ExitCode.Failed, DoctorReport.Write(page.Terminal, DoctorReport.Of(Ill), isJson: true));
        Golden.Check("doctor-json", page.Text);
    }

    [Fact]
    public void A_report_of_what_is_well()
    {
        using var page = new Page();
        Assert.Equal(ExitCode.Done, DoctorReport.Write(page.Terminal, DoctorReport.Of(Healthy with { Server = new ServerInfo("v1.31.2", 31, Now) }), isJson: false));
        Golden.Check("doctor-well", (page.Text + page.Notes).Replace(ProductVersion.Number, "VERSION", StringComparison.Ordinal));
    }

    private const string Crd = "customresourcedefinition/nodeimages.apps.kruise.io";

    /// <summary>A little of everything.</summary>
    private static DoctorFacts Ill => Healthy with
    {
        Server = new ServerInfo("v1.24.1", 24, Now),
        Rbac = Healthy.Rbac.With("clusterrole/kruise-image-daemon", null),
        Nodes = Some([.. Enumerable.Range(1, 12).Select(i => Node($"node-{i}"))]),
        NodeImages = Some([.. Enumerable.Range(1, 12).Select(i => Answering($"node-{i}"))]),
        Jobs = Forbidden<IReadOnlyList<ImagePullJob>>("list imagepulljobs in all namespaces"),
        Controller = Forbidden<Workload>("read deployments"),
        Daemons = default,
        Pods = Some(Pod("daemon", "node-1", image: "kruise-image:nightly")),
        Lease = Lease("kruise-image-controller-7d9-abcde", 90),
        OpenKruise = new() { Manager = Workload(1, 1) },
    };

    private static List<Finding> Not(Level level, DoctorFacts facts) => [.. DoctorReport.Of(facts).Where(finding => finding.Level != level)];

    private static void Single(Level level, string words, DoctorFacts facts)
    {
        var finding = Assert.Single(Not(Level.Ok, facts));
        Assert.Equal(level, finding.Level);
        Assert.Contains(words, finding.Message, StringComparison.Ordinal);
    }

    private static string Replace(string json, string part, string other)
    {
        Assert.Contains(part, json, StringComparison.Ordinal);
        return json.Replace(part, other, StringComparison.Ordinal);
    }

    private static string WithoutRules(string json)
    {
        var node = System.Text.Json.Nodes.JsonNode.Parse(json)!;
        Strip(node);
        return node.ToJsonString();

        static void Strip(System.Text.Json.Nodes.JsonNode? node)
        {
            if (node is System.Text.Json.Nodes.JsonArray array)
                foreach (var item in array) Strip(item);
            if (node is not System.Text.Json.Nodes.JsonObject map) return;
            map.Remove("x-kubernetes-validations");
            foreach (var (_, value) in map) Strip(value);
        }
    }
}
