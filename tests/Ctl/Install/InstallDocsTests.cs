using KruiseImage.Modes.Ctl.Install;
using Xunit;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>docs/install.md lists every setting, as the code declares it.</summary>
public class InstallDocsTests
{
    [Fact]
    public void The_table_of_settings_is_the_list_in_the_code() => Golden.CheckTable(
        "docs/install.md", "| setting | default | may be | meaning |", Settings.All.Select(setting =>
            $"| `{setting.Name}` | {(setting.Default.Length > 0 ? $"`{setting.Default}`" : "")} | {setting.Type.Words} | {setting.Meaning} |"));
}
