using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using KruiseImage.Modes;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>docs/cli.md is the help of every command; with UPDATE_GOLDEN=1 it is written, without it is compared.</summary>
public class CliReferenceTests
{
    private const int Columns = 120;

    private const string Head = """
        # Command line

        One executable. Linked as `kubectl-image` it is a kubectl plugin, and `kubectl image pull …` is `kruise-image ctl pull …`. This page is
        the help of every command, written by `UPDATE_GOLDEN=1 make unit`.


        """;

    [Fact]
    public void Every_command_is_in_the_reference_as_its_help_says()
    {
        var commands = All(CommandLine.Build(), []).ToList();
        var text = new StringBuilder(Head);
        foreach (var path in commands) text.Append($"- [{Words(path)}](#{Words(path).Replace(' ', '-')})\n");
        foreach (var path in commands) text.Append($"\n## {Words(path)}\n\n```\n{Help(path)}\n```\n");
        Golden.CheckFile("docs/cli.md", text.ToString());
    }

    private static IEnumerable<string[]> All(Command command, string[] path) => command.Hidden
        ? []
        : [path, .. command.Subcommands.SelectMany(sub => All(sub, [.. path, sub.Name]))];

    private static string Words(string[] path) => string.Join(' ', ["kruise-image", .. path]);

    private static string Help(string[] path)
    {
        var root = CommandLine.Build();
        foreach (var option in root.Options)
            if (option is HelpOption { Action: DocumentedHelp help }) help.MaxWidth = Columns;
        using var output = new StringWriter();
        root.Parse([.. path, "--help"]).Invoke(new InvocationConfiguration { Output = output });
        var lines = output.ToString().ReplaceLineEndings("\n").Replace(ProductVersion.Number, "VERSION", StringComparison.Ordinal).Split('\n');
        // The test program has another name than ours.
        var executable = RootCommand.ExecutableName;
        return string.Join('\n', lines.Select(line => line.Replace($"  {executable} ", "  kruise-image ", StringComparison.Ordinal).TrimEnd())).TrimEnd();
    }
}
