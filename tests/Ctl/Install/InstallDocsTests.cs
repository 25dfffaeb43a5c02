using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Sim.Api;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>docs/install.md lists every setting, as the code declares it. With UPDATE_GOLDEN=1 the table is written.</summary>
public class InstallDocsTests
{
    private const string Heading = "| setting | default | may be | meaning |\n|---|---|---|---|\n";

    [Fact]
    public void The_table_of_settings_is_the_list_in_the_code()
    {
        var file = Path.Combine(CrdManifest.Directory(), "../docs/install.md");
        var table = Heading + string.Concat(Settings.All.Select(setting =>
            $"| `{setting.Name}` | {(setting.Default.Length > 0 ? $"`{setting.Default}`" : "")} | {setting.Type.Words} | {setting.Meaning} |\n"));
        var text = File.ReadAllText(file);
        var start = text.IndexOf(Heading, StringComparison.Ordinal);
        Assert.True(start > 0, "docs/install.md has no table of settings");
        var there = text[start..(text.IndexOf("\n\n", start, StringComparison.Ordinal) + 1)];
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 })
        {
            File.WriteAllText(file, text.Replace(there, table, StringComparison.Ordinal));
            there = table;
        }

        Assert.Equal(table, there);
    }
}
