using System.Text.RegularExpressions;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Sim.Api;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>The chart and the kustomizations say what the manifests say. What Helm and kustomize make of them is for PackagingScenarios.</summary>
public partial class ChartTests
{
    private static readonly string Root = CrdManifest.Directory();

    /// <summary>With UPDATE_GOLDEN=1, which is what `make manifests` does, it writes them.</summary>
    [Fact]
    public void The_chart_is_what_the_manifests_and_settings_make_of_it()
    {
        var chart = Path.Combine(Root, "chart");
        var files = ChartFiles.All().ToList();
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 })
        {
            Directory.CreateDirectory(Path.Combine(chart, "templates"));
            foreach (var old in Directory.GetFiles(Path.Combine(chart, "templates"), "*.yaml")) File.Delete(old);
            foreach (var (name, text) in files) File.WriteAllText(Path.Combine(chart, name), text);
        }

        foreach (var (name, text) in files) Assert.Equal(text, File.ReadAllText(Path.Combine(chart, name)));
        Assert.Equal(
            files.Select(file => file.Name).Append("templates/NOTES.txt").Order(StringComparer.Ordinal),
            Directory.GetFiles(chart, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(chart, file)).Order(StringComparer.Ordinal));
    }

    /// <summary>What an expression of a template names is a setting, and every setting is named.</summary>
    [Fact]
    public void Every_setting_is_used_by_the_chart_and_no_other_value()
    {
        var used = ChartFiles.All().SelectMany(file => Value().Matches(file.Text)).Select(match => match.Groups[1].Value).Distinct();
        Assert.Equal(Settings.All.Select(setting => setting.Name).Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    /// <summary>kustomize takes no file that a Kustomization does not name, and says nothing.</summary>
    [Fact]
    public void Every_manifest_is_in_the_kustomization_of_its_folder_and_every_folder_in_the_base()
    {
        foreach (var folder in Manifests.Files.GroupBy(file => Path.GetDirectoryName(file)!))
        {
            Assert.Equal(folder.Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal), Items(Path.Combine(folder.Key, "Kustomization")));
            var isOptional = Settings.All.Any(setting => setting.Folder == folder.Key + "/" && setting.Default == "false");
            Assert.Equal(!isOptional, Items("overlays/default/Kustomization").Contains($"../../{folder.Key}"));
        }

        Assert.Equal(Items("overlays/default/Kustomization").Where(item => item != "../../policies"), Items("overlays/no-policies/Kustomization"));
    }

    private static IEnumerable<string> Items(string file) =>
        File.ReadLines(Path.Combine(Root, file)).Where(line => line.StartsWith("- ", StringComparison.Ordinal)).Select(line => line[2..]);

    [GeneratedRegex(@"\.Values\.([A-Za-z.]*[A-Za-z])")]
    private static partial Regex Value();
}
