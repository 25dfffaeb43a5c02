using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Images;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>"pull -f" and "pull --from": from what people apply, or have applied, to jobs and lists.</summary>
public class WorkloadTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private const string Release = """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: shop}
        imagePullSecrets: [{name: from-account}]
        ---
        apiVersion: v1
        kind: List
        items:
        - apiVersion: apps/v1
          kind: Deployment
          metadata: {name: web}
          spec:
            template:
              spec: &pod
                nodeSelector: {pool: web, "yes": "1"}
                imagePullSecrets: [{name: registry}]
                initContainers: [{name: migrate, image: "quay.io/shop/migrate:2"}]
                containers:
                - {name: web, image: "nginx:1.9.1"}
                - {name: sidecar, image: docker.io/library/nginx:1.9.1}
                volumes:
                - {name: model, image: {reference: "quay.io/shop/model:7"}}
                - {name: config, configMap: {name: web}}
          # the same nodes and secrets as the deployment
        - apiVersion: rollouts.example/v1
          kind: Rollout
          metadata: {name: api}
          spec:
            template:
              spec:
                <<: *pod
                initContainers: ~
                volumes: []
                containers: [{name: api, image: "quay.io/shop/api:3"}]
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: report, namespace: reports}
        spec:
          jobTemplate:
            spec:
              template:
                spec:
                  containers: [{name: report, image: "quay.io/shop/report:1"}]
                  affinity:
                    nodeAffinity:
                      requiredDuringSchedulingIgnoredDuringExecution:
                        nodeSelectorTerms:
                        - matchExpressions:
                          - {key: disk, operator: In, values: [ssd, nvme]}
                          - {key: spot, operator: DoesNotExist}
        ---
        ---
        apiVersion: v1
        kind: List
        items:
        - apiVersion: v1
          kind: Service
          metadata: {name: web}
        - apiVersion: v1
          kind: Pod
          metadata: {name: one}
          spec: {serviceAccountName: shop, nodeName: node-7, containers: [{name: one, image: busybox}], ephemeralContainers: [{name: debug, image: "alpine:3"}]}
        """;

    private static PullRequest Request(ImagePullJobTemplate? template = null, string? name = null, params string[] images)
    {
        var named = new PullImages();
        foreach (var text in images)
        {
            Assert.True(ImageReference.TryParse(text, out var reference, out _));
            named.Add(text, reference);
        }
        return new(named, template ?? new(), name, [], []);
    }

    private static WorkloadFiles Files(string text)
    {
        var files = new WorkloadFiles();
        files.Add("shop.yaml", text);
        return files;
    }

    private static string Yaml(IEnumerable<PullDraft> drafts) => string.Join("---\n", drafts.Select(draft => YamlText.Of(PullDraft.Json(draft.Object)) + "\n"));

    [Fact]
    public void A_release_becomes_a_job_or_list_for_each_kind_of_place()
    {
        var files = Files(Release);
        var notes = new List<string>();
        Golden.Check("workloads", Yaml(Request().Drafts(files.Workloads, "shop", notes.Add)));
        Assert.Empty(notes);
        Assert.Equal("skipped, without images: serviceaccount/shop, service/web", files.Skipped);
    }

    [Fact]
    public void The_same_as_JSON_is_the_same()
    {
        var documents = YamlDocuments.Read("x", Release).Where(document => document.ValueKind == JsonValueKind.Object).Select(document => document.GetRawText());
        var json = $$"""{"apiVersion":"v1","kind":"List","items":[{{string.Join(',', documents)}}]}""";
        Assert.Equal(Yaml(Request().Drafts(Files(Release).Workloads, "shop", _ => { })), Yaml(Request().Drafts(Files(json).Workloads, "shop", _ => { })));
    }

    [Fact]
    public void Nodes_and_secrets_of_the_command_line_hold_for_workloads_too()
    {
        var drafts = Request(new() { Selector = new() { Names = ["node-1"] }, PullSecrets = ["mine"], Parallelism = 5 }, null, "redis:7.2").Drafts(Files(Release).Workloads, "shop", _ => { });
        Assert.All(drafts, draft => Assert.Equal(["node-1"], draft.Template.Selector!.Names!));
        Assert.All(drafts, draft => Assert.Contains("mine", draft.Template.PullSecrets!));
        Assert.All(drafts, draft => Assert.Equal(5, draft.Template.Parallelism));
        Assert.Equal(["redis:7.2"], drafts[0].Images);
    }

    [Theory]
    [InlineData("[{matchExpressions: [{key: a, operator: Gt, values: ['3']}]}]", "its required node affinity is not said by labels with In, NotIn, Exists and DoesNotExist alone")]
    [InlineData("[{matchFields: [{key: metadata.name, operator: In, values: [node-1]}]}]", "its required node affinity is not said by labels with In, NotIn, Exists and DoesNotExist alone")]
    [InlineData("[{matchExpressions: [{key: a, operator: Exists}]}, {matchExpressions: [{key: b, operator: Exists}]}]", "its required node affinity has 2 terms, a job can say one")]
    public void What_a_job_cannot_say_is_told_in_one_note(string terms, string why)
    {
        var notes = new List<string>();
        var draft = Assert.Single(Request().Drafts(Files("""
            kind: DaemonSet
            metadata: {name: agent}
            spec: {template: {spec: {nodeSelector: {pool: web}, containers: [{image: a}], affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: TERMS}}}}}}
            """.Replace("TERMS", terms, StringComparison.Ordinal)).Workloads, "shop", notes.Add));
        Assert.Equal($"shop.yaml: daemonset/agent: {why}: it is left out, and the images go to these nodes: with labels pool=web", Assert.Single(notes));
        Assert.Equal(new() { ["pool"] = "web" }, draft.Template.Selector!.MatchLabels!);
    }

    [Theory]
    [InlineData("kind: Deployment\nspec: [", "shop.yaml, line 3, column 1: neither YAML nor JSON: ")]
    [InlineData("a: b: c", "shop.yaml, line 1, column 5: neither YAML nor JSON: ")]
    [InlineData("spec:\n  image: {{ .Values.image }}\n", "; a Helm template must be rendered first: helm template … | kruise-image ctl pull -f -")]
    [InlineData("{\"kind\": ", "shop.yaml")]
    [InlineData("just words", "shop.yaml: a document is no Kubernetes object, it has no kind")]
    [InlineData("a: 1", "shop.yaml: a document is no Kubernetes object, it has no kind")]
    [InlineData("kind: Pod\nspec: {containers: [{name: x, image: Nginx}]}", "shop.yaml: pod/without a name, container \"x\": image \"Nginx\": the repository must be lower case")]
    [InlineData("kind: Service", "nothing of what was named has an image")]
    [InlineData("kind: Pod\nspec: {nodeSelector: {'a b': c}, containers: [{image: a}]}", "spec.selector: \"a b\" is not a label key")]
    [InlineData("kind: Pod\nkind: Pod", "shop.yaml, line 2, column 1: neither YAML nor JSON: duplicate key")]
    public void Bad_input_is_one_sentence(string text, string sentence)
    {
        var wrong = Assert.Throws<CommandException>(() => Request().Drafts(Files(text).Workloads, "shop", _ => { }));
        Assert.Contains(sentence, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', wrong.Message);
        Assert.Equal(ExitCode.Usage, wrong.ExitCode);
    }

    [Fact]
    public void No_text_makes_it_recurse_or_grow_without_end()
    {
        var laughs = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++) laughs.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        string[] texts =
        [
            $"kind: Pod\n{laughs}", new('[', 200_000), new('{', 200_000), string.Concat(Enumerable.Repeat("- ", 100_000)), "a: &a\n  b: *a\nkind: Pod", "&a [*a]",
            "kind: Pod\n<<: &m\n  <<: *m\n", "kind: List\nitems: &i\n- {kind: List, items: *i}\n",
        ];
        foreach (var text in texts)
        {
            var wrong = Record.Exception(() => Request().Drafts(Files(text).Workloads, "shop", _ => { }));
            Assert.IsType<CommandException>(wrong);
        }
    }

    [Fact]
    public void One_name_is_for_one_job()
    {
        var wrong = Assert.Throws<CommandException>(() => Request(null, "mine").Drafts(Files(Release).Workloads, "shop", _ => { }));
        Assert.Equal("--name names one job, and this makes 3, for other nodes, secrets or namespaces each: leave it out", wrong.Message);
    }

    [Fact]
    public void More_images_than_a_list_may_have_are_several_lists()
    {
        var containers = string.Join(", ", Enumerable.Range(1, 300).Select(i => $"{{image: 'a:{i}'}}"));
        var drafts = Request().Drafts(Files($"kind: Pod\nmetadata: {{name: x}}\nspec: {{containers: [{containers}]}}").Workloads, "shop", _ => { });
        Assert.Equal([256, 44], drafts.Select(draft => draft.Images.Count));
    }

    [Theory]
    [InlineData("deploy/web", "Deployment web")]
    [InlineData("Deployments.apps/web", "Deployment web")]
    [InlineData("deployment.v1.apps/web", "Deployment web")]
    [InlineData("sts/x", "StatefulSet x")]
    [InlineData("ds/x", "DaemonSet x")]
    [InlineData("rs/x", "ReplicaSet x")]
    [InlineData("po/x", "Pod x")]
    [InlineData("cj/x", "CronJob x")]
    [InlineData("job/x", "Job x")]
    public void Kinds_have_kubectls_words(string text, string expected)
    {
        var name = WorkloadName.Parse(text);
        Assert.Equal(expected, $"{name.Kind.Kind} {name.Name}");
    }

    private static RawObject Raw(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Deserialize(json, CtlJson.Default.RawObject)!;
    }

    [Fact]
    public async Task A_live_workload_has_the_secrets_of_its_service_account_and_a_pod_is_not_bound_to_its_node()
    {
        var fake = new FakeCluster();
        fake.Add("pods", Raw("""{"kind":"Pod","metadata":{"name":"web-1","namespace":"shop"},"spec":{"nodeName":"node-1","serviceAccountName":"shop","containers":[{"name":"web","image":"nginx"}]}}"""));
        fake.Add("serviceaccounts", Raw("""{"metadata":{"name":"shop","namespace":"shop"},"imagePullSecrets":[{"name":"registry"}]}"""));
        var workload = await new LiveWorkloads(new Cluster(fake, "shop"), _ => Assert.Fail("no note")).Read(WorkloadName.Parse("pod/web-1"), None);
        var draft = Assert.Single(Request().Drafts([workload], "other", _ => { }));
        Assert.Equal(("shop", "web-1-", null), (draft.Metadata.Namespace, draft.Metadata.GenerateName, draft.Template.Selector));
        Assert.Equal(["registry"], draft.Template.PullSecrets!);
    }

    [Fact]
    public async Task Who_may_not_read_the_service_account_is_told_and_goes_on()
    {
        var fake = new FakeCluster { Forbidden = "serviceaccounts" };
        fake.Add("deployments", Raw("""{"kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx"}]}}}}"""));
        var notes = new List<string>();
        var workload = await new LiveWorkloads(new Cluster(fake, "shop"), notes.Add).Read(WorkloadName.Parse("deploy/web"), None);
        Assert.Empty(workload.Secrets);
        Assert.Equal("deployment/web: the pull secrets of its service account \"default\" are not known: the server's own words", Assert.Single(notes));
    }

    [Fact]
    public async Task A_workload_that_is_not_there_gets_the_near_one()
    {
        var fake = new FakeCluster();
        fake.Add("deployments", Raw("""{"kind":"Deployment","metadata":{"name":"web","namespace":"shop"}}"""));
        var wrong = await Assert.ThrowsAsync<CommandException>(() => new LiveWorkloads(new Cluster(fake, "shop"), _ => { }).Read(WorkloadName.Parse("deploy/wbe"), None));
        Assert.Equal("there is no deployment \"wbe\" in namespace \"shop\": did you mean \"web\"?", wrong.Message);
    }

    [Fact]
    public void Files_directories_and_the_standard_input_are_read()
    {
        var directory = Directory.CreateTempSubdirectory("kruise-image-act").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "b.yaml"), "b");
            File.WriteAllText(Path.Combine(directory, "a.json"), "a");
            File.WriteAllText(Path.Combine(directory, "README.md"), "no");
            Directory.CreateDirectory(Path.Combine(directory, "below"));
            using var input = new StringReader("piped");
            Assert.Equal("piped a b b", string.Join(' ', YamlFiles.Read(["-", directory, Path.Combine(directory, "b.yaml")], input).Select(file => file.Text)));
            foreach (var (paths, sentence) in ((string[], string)[])
                [(["/no/such"], "--filename /no/such: there is no such file or directory"), (["-", "-"], "--filename - is given twice: there is one standard input"),
                 ([Path.Combine(directory, "below")], $"--filename {directory}/below: there is no file that ends in .yaml, .yml or .json")])
                Assert.Equal(sentence, Assert.Throws<CommandException>(() => YamlFiles.Read(paths, TextReader.Null).ToList()).Message);
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }
}
