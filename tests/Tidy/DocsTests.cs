using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using KruiseImage.Modes;
using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>What the documents point at is there: files, headings, and commands that our own command line understands.</summary>
public partial class DocsTests
{
    private static IEnumerable<SourceFile> Documents => SourceFile.All.Where(file => file.Path.EndsWith(".md", StringComparison.Ordinal));

    [Fact]
    public void Links_lead_somewhere() => Complaints.None(
        from document in Documents
        from Match link in Link().Matches(document.Text)
        let target = link.Groups["target"].Value
        where !target.Contains("://", StringComparison.Ordinal) && !Exists(document, target)
        select $"{document}:{document.LineOf(link.Index)}: {target} leads nowhere");

    /// <summary>Usage lines, which have brackets, are of the library's making.</summary>
    [Fact]
    public void Commands_parse() => Complaints.None(
        from document in Documents
        from Match match in Invocation().Matches(document.Text)
        let line = match.Value.TrimEnd('\\').Trim()
        where !line.Contains('[', StringComparison.Ordinal)
        let parsed = CommandLine.Build().Parse([.. CommandLineParser.SplitCommandLine(line).Skip(1)])
        where parsed.Errors.Count > 0
        select $"{document}:{document.LineOf(match.Index)}: {line}: {parsed.Errors[0].Message}");

    private static bool Exists(SourceFile document, string target)
    {
        var (path, heading) = target.Split('#') is [var file, var anchor] ? (file, anchor) : (target, null);
        var full = path.Length == 0 ? document.Path : Path.GetRelativePath(".", Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document.Path) ?? "", path)));
        var found = SourceFile.All.Any(candidate => candidate.Path == full || candidate.Path.StartsWith($"{full}/", StringComparison.Ordinal));
        return found && (heading is null || SourceFile.All.Single(candidate => candidate.Path == full).Lines.Any(line => line.StartsWith('#') && Anchor(line) == heading));
    }

    /// <summary>As Markdown's usual renderers name headings.</summary>
    private static string Anchor(string heading) =>
        NotInAnchor().Replace(heading.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    /// <summary>Up to what belongs to the shell.</summary>
    [GeneratedRegex(@"(?<=^\s*(?:\$ |`)?|&& |`)kruise-image (?:controller|daemon|ctl)\b[^\n`|>#&)]*", RegexOptions.Multiline)]
    private static partial Regex Invocation();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
