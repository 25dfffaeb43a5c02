using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Install;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>What can be set at installation: what it changes, and what is said about a mistake.</summary>
public class InstallValuesTests
{
    /// <summary>One value for each setting that is not its default.</summary>
    private static readonly Dictionary<string, string> Samples = new()
    {
        ["image"] = "registry.example.com:5000/team/kruise-image@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ["imagePullPolicy"] = "Always",
        ["imagePullSecrets"] = "registry,1",
        ["logLevel"] = "Debug",
        ["controller.replicas"] = "3",
        ["controller.resources.requests.cpu"] = "1",
        ["controller.resources.requests.memory"] = "1Gi",
        ["controller.resources.limits.memory"] = "2Gi",
        ["controller.priorityClassName"] = "",
        ["controller.nodeSelector"] = "node-role.kubernetes.io/control-plane=,on=true",
        ["daemon.resources.requests.cpu"] = "20m",
        ["daemon.resources.requests.memory"] = "96Mi",
        ["daemon.resources.limits.memory"] = "256Mi",
        ["daemon.priorityClassName"] = "ours-critical",
        ["daemon.nodeSelector"] = "pool=web",
        ["daemon.maxConcurrentPulls"] = "8",
        ["daemon.runtimeEndpoint"] = "/run/k3s/containerd/containerd.sock",
        ["daemon.credentialProviders.config"] = "/etc/kubernetes/providers.yaml",
        ["daemon.credentialProviders.binDir"] = "/opt/providers/bin",
        ["metrics.serviceMonitor"] = "true",
        ["policies.enabled"] = "false",
    };

    [Fact]
    public void Each_setting_changes_these_lines_and_no_other()
    {
        var told = new StringBuilder();
        foreach (var setting in Settings.All)
        {
            var words = new List<(string, string)> { (setting.Name, Samples[setting.Name]) };
            // The two go together: the other one is shown at its own turn.
            if (setting.Name == Settings.ProviderBinaries) words.Insert(0, (Settings.ProviderConfig, "/etc/x/y"));
            if (setting.Name == Settings.ProviderConfig) words.Add((Settings.ProviderBinaries, "/etc/x/y"));
            told.Append($"{setting.Name}={Samples[setting.Name]}\n").AppendJoin("", Difference(InstallValues.Read(words))).Append('\n');
        }

        Golden.Check("settings", told.ToString());
    }

    [Fact]
    public void Settings_meet_in_one_manifest_without_hurting_each_other()
    {
        var all = InstallValues.Read(Samples.Where(pair => pair.Key != "policies.enabled").Select(pair => (pair.Key, pair.Value)));
        var daemon = Manifests.Read(all).Single(manifest => manifest.Kind == "DaemonSet");
        Golden.Check("daemonset-all-settings", string.Join('\n', daemon.Yaml.Split('\n').Where(line => !line.TrimStart().StartsWith('#'))));
    }

    /// <summary>The default of a setting is what the manifests say: nothing changes, and values.yaml tells the truth.</summary>
    [Fact]
    public void Saying_the_default_is_saying_nothing()
    {
        Assert.Equal(Settings.All.Select(setting => setting.Name), Samples.Keys);
        Assert.Equal(Manifests.Read(InstallValues.Defaults), Manifests.Read(InstallValues.Read(Settings.All.Select(setting => (setting.Name, setting.Default)))));
        foreach (var setting in Settings.All.Where(setting => setting.Folder is null && setting.Default.Length > 0 && setting.Edits[0].Kind == EditKind.Value))
        {
            // Wherever it shows, the file has the default; else the value after "--set x=default" would differ from none.
            foreach (var edit in setting.Edits) ManifestText.Replace(Manifests.Text(edit.File), edit.Path, there =>
            {
                Assert.Equal(setting.Default, there);
                return there;
            });
        }
    }

    [Theory]
    [InlineData("replicas=3", "there is no setting \"replicas\": `kruise-image ctl install --help` lists them")]
    [InlineData("controler.replicas=3", "there is no setting \"controler.replicas\": did you mean \"controller.replicas\"?")]
    [InlineData("daemon.resources.request.cpu=1", "there is no setting \"daemon.resources.request.cpu\": did you mean \"daemon.resources.requests.cpu\"?")]
    [InlineData("daemon.credentialProviders=x", "there is no setting \"daemon.credentialProviders\": choose daemon.credentialProviders.config, daemon.credentialProviders.binDir")]
    [InlineData("controller.replicas", "--set \"controller.replicas\" is not KEY=VALUE, such as controller.replicas=3")]
    [InlineData("=3", "--set \"=3\" is not KEY=VALUE, such as controller.replicas=3")]
    [InlineData("controller.replicas=0", "setting controller.replicas: \"0\" is not a number from 1 to 9")]
    [InlineData("controller.replicas=03", "setting controller.replicas: \"03\" is not a number from 1 to 9")]
    [InlineData("controller.replicas=", "setting controller.replicas: \"\" is not a number from 1 to 9")]
    [InlineData("image=Not/An Image", "setting image: \"Not/An Image\" is not the reference of an image, such as registry.example.com/kruise-image:0.1.0")]
    [InlineData("imagePullPolicy=always", "setting imagePullPolicy: \"always\" is not one of Always, IfNotPresent and Never")]
    [InlineData("imagePullSecrets=a,,b", "setting imagePullSecrets: \"a,,b\" is not names, such as one,two")]
    [InlineData("daemon.resources.limits.memory=128MB", "setting daemon.resources.limits.memory: \"128MB\" is not a quantity, such as 100m, 64Mi or 1")]
    [InlineData("daemon.resources.limits.memory=", "setting daemon.resources.limits.memory: \"\" is not a quantity, such as 100m, 64Mi or 1")]
    [InlineData("daemon.nodeSelector=pool", "setting daemon.nodeSelector: \"pool\" is not labels, such as pool=web,kubernetes.io/arch=amd64")]
    [InlineData("daemon.nodeSelector=a=b,a=c", "setting daemon.nodeSelector: \"a=b,a=c\" is not labels, such as pool=web,kubernetes.io/arch=amd64")]
    [InlineData("daemon.runtimeEndpoint=unix:///run/x/y.sock", "setting daemon.runtimeEndpoint: \"unix:///run/x/y.sock\" is not an absolute path, such as /run/k3s/containerd/containerd.sock")]
    [InlineData("daemon.runtimeEndpoint=/x.sock", "setting daemon.runtimeEndpoint: \"/x.sock\" is not an absolute path, such as /run/k3s/containerd/containerd.sock")]
    [InlineData("daemon.runtimeEndpoint=/run/../etc/x", "setting daemon.runtimeEndpoint: \"/run/../etc/x\" is not an absolute path, such as /run/k3s/containerd/containerd.sock")]
    [InlineData("daemon.credentialProviders.config=/etc/x/y", "daemon.credentialProviders.config and daemon.credentialProviders.binDir go together: give both or neither")]
    [InlineData("metrics.serviceMonitor=yes", "setting metrics.serviceMonitor: \"yes\" is not true or false")]
    public void A_mistake_is_one_sentence(string word, string sentence)
    {
        var failure = Assert.Throws<CommandException>(() => InstallValues.Read([InstallValues.Word(word)]));
        Assert.Equal(sentence, failure.Message);
        Assert.Equal(ExitCode.Usage, failure.ExitCode);
    }

    [Fact]
    public void A_values_file_says_the_same_as_words()
    {
        var file = InstallValues.File("values.yaml", """
            image: kruise-image:9   # a comment
            imagePullSecrets: [one, two]
            controller:
              replicas: 3
              resources: { requests: { cpu: 1 } }
              nodeSelector:
                kubernetes.io/arch: arm64
                pool: "1"
              priorityClassName: ""
            daemon: { nodeSelector: {} }
            metrics:
              serviceMonitor: true
            """);
        Assert.Equal(
            [
                ("controller.nodeSelector", "kubernetes.io/arch=arm64,pool=1"), ("controller.priorityClassName", ""), ("controller.replicas", "3"),
                ("controller.resources.requests.cpu", "1"), ("image", "kruise-image:9"), ("imagePullSecrets", "one,two"), ("metrics.serviceMonitor", "true"),
            ],
            InstallValues.Read(file).Given.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal("kruise-image:10", InstallValues.Read([.. file, ("image", "kruise-image:10")]).Given["image"]);
        Assert.Empty(InstallValues.File("empty.yaml", "# nothing\n"));
    }

    [Theory]
    [InlineData("a: [", "v.yaml, line 2: no YAML that can be read")]
    [InlineData("- a", "v.yaml is not one map of settings")]
    [InlineData("a: 1\n---\nb: 1", "v.yaml is not one map of settings")]
    [InlineData("controller: {replica: 1}", "there is no setting \"controller.replica\": did you mean \"controller.replicas\"?")]
    [InlineData("controller: 1", "there is no setting \"controller\": choose controller.replicas,")]
    [InlineData("nothing: {replica: 1}", "there is no setting \"nothing\": `kruise-image ctl install --help` lists them")]
    [InlineData("imagePullSecrets: a", "v.yaml: setting imagePullSecrets must be a list")]
    [InlineData("imagePullSecrets: ['a,b']", "setting imagePullSecrets: \"a,b\" is not names")]
    [InlineData("imagePullSecrets: [[a]]", "v.yaml: in imagePullSecrets stands what is no single value")]
    [InlineData("daemon: {nodeSelector: [a]}", "v.yaml: setting daemon.nodeSelector must be a map")]
    [InlineData("image: {repository: x}", "v.yaml: setting image must be a single value")]
    public void A_wrong_values_file_is_one_sentence(string yaml, string beginning)
    {
        var failure = Assert.Throws<CommandException>(() => InstallValues.Read(InstallValues.File("v.yaml", yaml)));
        Assert.StartsWith(beginning, failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Helm refuses and takes what we do: the schema's patterns are the same rules.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a.b-c")]
    [InlineData("A")]
    [InlineData("-a")]
    [InlineData("a..b")]
    [InlineData("1")]
    [InlineData("100m")]
    [InlineData("64Mi")]
    [InlineData("64mi")]
    [InlineData("0.5")]
    [InlineData("1234567890")]
    [InlineData("/run")]
    [InlineData("/run/x.sock")]
    [InlineData("/run//x")]
    [InlineData("/run/../x")]
    [InlineData("/run/x y")]
    [InlineData("run/x")]
    [InlineData("Always")]
    [InlineData("Debug")]
    [InlineData("a_b")]
    [InlineData("a b")]
    public void The_schema_and_the_code_agree(string text)
    {
        foreach (var type in Settings.All.Select(setting => setting.Type).Where(type => type.Shape is SettingShape.Text or SettingShape.List or SettingShape.Map).Distinct())
        {
            var schema = JsonNode.Parse($"{{{type.Schema}}}")!;
            if (schema["minLength"] is not null) continue; // an image: too much for a pattern
            var bySchema = schema["enum"] is { } words ? words.AsArray().Any(word => word!.GetValue<string>() == text) : Regex.IsMatch(text, schema["pattern"]!.GetValue<string>());
            Assert.True(bySchema == type.Allows(type.Shape == SettingShape.Map ? $"key={text}" : text), $"\"{text}\" as {type.Words}");
        }
    }

    private static IEnumerable<string> Difference(InstallValues values)
    {
        var (before, after) = (Text(InstallValues.Defaults), Text(values));
        foreach (var name in before.Keys.Concat(after.Keys).Distinct())
        {
            if (!after.TryGetValue(name, out var now)) yield return $"  - {name}\n";
            else if (!before.TryGetValue(name, out var old)) yield return $"  + {name}\n";
            else
            {
                foreach (var line in old.Where(line => !now.Contains(line))) yield return $"  {name} - {line}\n";
                foreach (var line in now.Where(line => !old.Contains(line))) yield return $"  {name} + {line}\n";
            }
        }

        static Dictionary<string, string[]> Text(InstallValues values) => Manifests.Read(values).ToDictionary(manifest => $"{manifest} {manifest.Namespace}".Trim(), manifest => manifest.Yaml.Split('\n'));
    }
}
