using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Helm and kustomize, the real ones, make of the chart and the overlays what "ctl install" makes of the same settings. No cluster is asked.</summary>
public sealed class PackagingScenarios
{
    private const string Keep = "helm.sh/resource-policy";

    private static readonly string[] Helms = ["helm-3", "helm-4"];
    private static readonly string[] Kustomizes = ["kubectl-1.20", "kubectl-1.32", "kubectl-1.35"];

    /// <summary>As words of "ctl install", and as a values file.</summary>
    private static readonly (string Name, string[] Words, string Values)[] Settings =
    [
        ("defaults", [], ""),
        ("names and numbers", ["image=registry.example.com/x:9", "imagePullPolicy=Always", "imagePullSecrets=one,2", "logLevel=Debug", "controller.replicas=3"],
            "{image: 'registry.example.com/x:9', imagePullPolicy: Always, imagePullSecrets: [one, '2'], logLevel: Debug, controller: {replicas: 3}}"),
        ("maps and what is empty", ["controller.nodeSelector=kubernetes.io/arch=arm64,on=true", "controller.priorityClassName=", "daemon.resources.requests.cpu=1", "daemon.maxConcurrentPulls=8"],
            "{controller: {nodeSelector: {kubernetes.io/arch: arm64, 'on': 'true'}, priorityClassName: ''}, daemon: {maxConcurrentPulls: 8, resources: {requests: {cpu: '1'}}}}"),
        ("all that adds lines", ["daemon.runtimeEndpoint=/run/crio/crio.sock", "daemon.credentialProviders.config=/etc/p/c.yaml", "daemon.credentialProviders.binDir=/opt/p", "logLevel=Trace", "daemon.maxConcurrentPulls=3"],
            "{logLevel: Trace, daemon: {runtimeEndpoint: /run/crio/crio.sock, maxConcurrentPulls: 3, credentialProviders: {config: /etc/p/c.yaml, binDir: /opt/p}}}"),
        ("objects more and less", ["metrics.serviceMonitor=true", "policies.enabled=false"], "{metrics: {serviceMonitor: true}, policies: {enabled: false}}"),
    ];

    private static readonly (string Overlay, string[] Words)[] Overlays =
    [
        ("", []),
        ("overlays/default", []),
        ("overlays/kind", ["imagePullPolicy=Never"]),
        ("overlays/crio", ["daemon.runtimeEndpoint=/run/crio/crio.sock"]),
        ("overlays/k3s", ["daemon.runtimeEndpoint=/run/k3s/containerd/containerd.sock"]),
        ("overlays/credential-providers", ["daemon.credentialProviders.config=/etc/kubernetes/credential-providers/config.yaml", "daemon.credentialProviders.binDir=/etc/kubernetes/credential-providers/bin"]),
        ("overlays/no-policies", ["policies.enabled=false"]),
        ("overlays/service-monitor", ["metrics.serviceMonitor=true"]),
    ];

    public static TheoryData<string, string> ChartCases => Cross(Helms, Settings.Select(setting => setting.Name));

    public static TheoryData<string, string> OverlayCases => Cross(Kustomizes, Overlays.Select(overlay => overlay.Overlay));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(ChartCases))]
    public async Task Helm_makes_the_objects_of_ctl(string helm, string name)
    {
        var (_, words, values) = Settings.Single(setting => setting.Name == name);
        var objects = await TemplateAsync(helm, values);
        foreach (var crd in objects.Values.Where(item => item.Text("kind") == "CustomResourceDefinition"))
        {
            // The one difference: an uninstall of Helm's must not take the jobs along.
            Assert.Equal("keep", crd["metadata"]!["annotations"]!.Text(Keep));
            crd["metadata"]!.AsObject().Remove("annotations");
        }

        Same(await CtlAsync(words), objects);
        // The same file is one for ctl too.
        Same(await CtlAsync([], values), objects);
    }

    [Theory]
    [MemberData(nameof(OverlayCases))]
    public async Task Kustomize_makes_the_objects_of_ctl(string kubectl, string overlay)
    {
        var words = Overlays.Single(known => known.Overlay == overlay).Words;
        var made = await RunAsync(Tool(kubectl), ["kustomize", Path.Combine(Parts.Manifests, overlay)]);
        Same(await CtlAsync(words), Read(made.Succeeded()));
    }

    [Fact]
    public void Every_overlay_is_compared() => Assert.Equal(
        Directory.GetDirectories(Path.Combine(Parts.Manifests, "overlays")).Select(folder => $"overlays/{Path.GetFileName(folder)}").Order(StringComparer.Ordinal),
        Overlays.Select(overlay => overlay.Overlay).Where(overlay => overlay.Length > 0).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("replicas", "controller.replicas=0", "{controller: {replicas: 0}}")]
    [InlineData("replicas", "controller.replicas=two", "{controller: {replicas: two}}")]
    [InlineData("controler", "controler.replicas=3", "{controler: {replicas: 3}}")]
    [InlineData("imagePullPolicy", "imagePullPolicy=Sometimes", "{imagePullPolicy: Sometimes}")]
    [InlineData("memory", "daemon.resources.limits.memory=128MB", "{daemon: {resources: {limits: {memory: 128MB}}}}")]
    [InlineData("runtimeEndpoint", "daemon.runtimeEndpoint=unix:///run/x/y.sock", "{daemon: {runtimeEndpoint: 'unix:///run/x/y.sock'}}")]
    [InlineData("daemon.credentialProviders.config and", "daemon.credentialProviders.config=/etc/p/c.yaml", "{daemon: {credentialProviders: {config: /etc/p/c.yaml}}}")]
    [InlineData("serviceMonitor", "metrics.serviceMonitor=maybe", "{metrics: {serviceMonitor: maybe}}")]
    public async Task What_ctl_refuses_Helm_refuses_too(string named, string word, string values)
    {
        Assert.Equal(2, (await RunAsync(Parts.Product, ["ctl", "install", "--dry-run", "--set", word])).ExitCode);
        var helm = await RunAsync(Tool("helm-4"), ["template", "kruise-image", Path.Combine(Parts.Manifests, "chart"), "--values", "-"], values);
        Assert.NotEqual(0, helm.ExitCode);
        Assert.Contains(named, helm.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Helm_lints_the_chart_and_asks_for_nothing_of_a_server_that_lacks_the_budget()
    {
        var chart = Path.Combine(Parts.Manifests, "chart");
        (await RunAsync(Tool("helm-4"), ["lint", "--strict", chart])).Succeeded();
        var rendered = Read((await RunAsync(Tool("helm-3"), ["template", "kruise-image", chart, "--set", "daemon.nodeSelector.pool=web"])).Succeeded());
        Assert.Equal("web", rendered["DaemonSet kruise-image-system/kruise-image-daemon"]["spec"]!["template"]!["spec"]!["nodeSelector"]!.Text("pool"));
    }

    private static async Task<Dictionary<string, JsonNode>> TemplateAsync(string helm, string values) => Read((await RunAsync(
        Tool(helm), ["template", "kruise-image", Path.Combine(Parts.Manifests, "chart"), "--namespace", "default", "--values", "-"], values)).Succeeded());

    private static async Task<Dictionary<string, JsonNode>> CtlAsync(IEnumerable<string> words, string? values = null)
    {
        string[] file = [];
        var path = Path.GetTempFileName();
        try
        {
            if (values is not null)
            {
                await File.WriteAllTextAsync(path, values, Cancellation);
                file = ["--values", path];
            }

            return Read((await RunAsync(Parts.Product, ["ctl", "install", "--dry-run", .. file, .. words.SelectMany(word => (string[])["--set", word])])).Succeeded());
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>By kind, namespace and name; each once.</summary>
    private static Dictionary<string, JsonNode> Read(string yaml) => ("\n" + yaml).Split("\n---").Select(document => YamlJson.Read(document)).Where(item => item is not null)
        .ToDictionary(item => $"{item!.Text("kind")} {item!["metadata"]!.Text("namespace")}/{item!["metadata"]!.Text("name")}", item => item!);

    private static void Same(Dictionary<string, JsonNode> ctl, Dictionary<string, JsonNode> other)
    {
        Assert.Equal(ctl.Keys.Order(StringComparer.Ordinal), other.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, item) in ctl) Assert.True(JsonNode.DeepEquals(item, other[name]), $"{name}\n{item.ToJsonString()}\n{other[name].ToJsonString()}");
    }

    internal static string Tool(string name)
    {
        string? found = null;
        try
        {
            found = Parts.Find(name);
        }
        catch (BedException missing)
        {
            Assert.Skip($"{missing.Message} It is unpacked from a package that could not be had here.");
        }

        return found;
    }

    private static Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, string? input = null) =>
        CommandResult.RunAsync(program, arguments, new Dictionary<string, string> { ["HOME"] = Environment.GetEnvironmentVariable("BED_DIR") ?? Path.GetTempPath() }, input, Cancellation);

    private static TheoryData<string, string> Cross(IEnumerable<string> one, IEnumerable<string> other)
    {
        var data = new TheoryData<string, string>();
        foreach (var first in one)
            foreach (var second in other) data.Add(first, second);
        return data;
    }
}
