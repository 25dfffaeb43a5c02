using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Sim.Api;
using KruiseImage.Tests.Crds;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Tests.Ctl;

/// <summary>What the executable carries is what stands in manifests/, whole, in an order that a cluster takes.</summary>
public class ManifestsTests
{
    private const string Image = "registry.example.com/kruise-image:9";

    private static readonly IReadOnlyList<Manifest> All = [.. Manifests.Read(Values(), crdsOnly: false)];

    [Fact]
    public void Every_file_is_embedded_and_unchanged()
    {
        var files = Directory.GetFiles(CrdManifest.Directory(), "*.yaml", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(CrdManifest.Directory(), file))
            .Where(file => !file.StartsWith("chart/", StringComparison.Ordinal) && !file.StartsWith("overlays/", StringComparison.Ordinal)
                && !file.StartsWith("monitoring/", StringComparison.Ordinal)); // what people import by themselves
        Assert.Equal(files.Order(StringComparer.Ordinal), Manifests.Files.Order(StringComparer.Ordinal));
        foreach (var file in Manifests.Files)
        {
            var text = File.ReadAllText(Path.Combine(CrdManifest.Directory(), file));
            foreach (var part in text.Replace($"kruise-image:{ProductVersion.Number}", Image, StringComparison.Ordinal).Split("\n---\n"))
                Assert.Contains(All, manifest => manifest.Yaml.TrimEnd() == part.TrimEnd());
        }
    }

    [Fact]
    public void Every_object_is_there_once_and_knows_where_it_lives()
    {
        Assert.Equal(All.Count, All.Select(manifest => (manifest.ToString(), manifest.Namespace)).Distinct().Count());
        foreach (var manifest in All)
        {
            var resource = ManifestResource.Of(manifest);
            Assert.StartsWith(manifest.Kind[..3], resource.Plural, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(manifest.Namespace is not null, resource.Namespaced);
        }
    }

    [Fact]
    public void Objects_come_after_what_they_need()
    {
        var order = All.Select(manifest => manifest.Kind).Distinct().ToList();
        Assert.Equal(order.Order(Comparer<string>.Create((one, other) => ManifestResource.Place(one).CompareTo(ManifestResource.Place(other)))), order);
        Assert.Equal(
            [
                "CustomResourceDefinition", "Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
                "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "Deployment", "PodDisruptionBudget", "Service", "DaemonSet", "ServiceMonitor", "PodMonitor",
            ],
            order);
        Assert.Equal(3, Manifests.Read(Values(), crdsOnly: true).Count());
    }

    [Fact]
    public void The_workloads_run_from_the_image_that_was_asked_for()
    {
        Assert.Equal(2, All.Count(manifest => manifest.Yaml.Contains($"        image: {Image}\n", StringComparison.Ordinal)));
        Assert.DoesNotContain(All, manifest => manifest.Yaml.Contains("kruise-image:0", StringComparison.Ordinal));
    }

    /// <summary>For those who read the files with kubectl or kustomize: `make manifests` writes the version of Directory.Build.props into them.</summary>
    [Fact]
    public void The_files_say_the_version_of_the_product()
    {
        var versions = from file in Manifests.Files
                       from line in Manifests.Text(file).Split('\n')
                       where line.Contains("app.kubernetes.io/version:", StringComparison.Ordinal) || line.Contains("image: kruise-image:", StringComparison.Ordinal)
                       select line.Split(':')[^1].Trim();
        Assert.Equal(Enumerable.Repeat(ProductVersion.Number, 7), versions);
        Assert.Equal(["Deployment", "DaemonSet"], All.Where(manifest => manifest.Version is not null && manifest.Kind != "CustomResourceDefinition").Select(manifest => manifest.Kind));
    }

    [Fact]
    public void Without_rules_a_CRD_is_the_same_but_for_the_rules()
    {
        foreach (var crd in Manifests.Read(Values(), crdsOnly: true))
        {
            var without = Manifests.WithoutRules(crd);
            Assert.DoesNotContain("x-kubernetes-validations", without.Yaml, StringComparison.Ordinal);
            Assert.Equal(WithoutRules(Load(crd.Yaml)), Load(without.Yaml));
        }
    }

    /// <summary>Secrets of the cluster are read by the controller alone, which copies; written, and read by daemons, are those of one namespace.</summary>
    [Fact]
    public void Roles_grant_no_wildcards_and_secrets_only_where_they_are_copied()
    {
        var roles = All.Where(manifest => manifest.Kind is "ClusterRole" or "Role").ToList();
        foreach (var role in roles) Assert.DoesNotContain("'*'", role.Yaml, StringComparison.Ordinal);

        var readsAll = Assert.Single(roles, role => role.Kind == "ClusterRole" && role.Yaml.Contains("secrets", StringComparison.Ordinal));
        Assert.Equal("kruise-image-controller", readsAll.Name);
        Assert.Contains("resources: [secrets]\n  verbs: [list, watch]", readsAll.Yaml, StringComparison.Ordinal);
        foreach (var role in roles.Where(role => role.Kind == "Role" && role.Yaml.Contains("secrets", StringComparison.Ordinal)))
            Assert.Equal(SecretCopy.DefaultNamespace, role.Namespace);
        var daemon = Assert.Single(roles, role => role.Kind == "Role" && role.Name == "kruise-image-daemon" && role.Namespace == SecretCopy.DefaultNamespace);
        Assert.Contains("resources: [secrets]\n  verbs: [get]", daemon.Yaml, StringComparison.Ordinal);
    }

    /// <summary>With all that is left out by default.</summary>
    private static InstallValues Values() => InstallValues.Read([("image", Image), ("metrics.serviceMonitor", "true")]);

    private static YamlNode Load(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents[0].RootNode;
    }

    private static YamlNode WithoutRules(YamlNode node)
    {
        if (node is YamlSequenceNode sequence) foreach (var item in sequence) WithoutRules(item);
        if (node is not YamlMappingNode mapping) return node;
        mapping.Children.Remove("x-kubernetes-validations");
        foreach (var value in mapping.Children.Values) WithoutRules(value);
        return node;
    }
}
