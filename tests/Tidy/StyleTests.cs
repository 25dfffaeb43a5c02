using System.Text.RegularExpressions;
using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>The style that a machine can judge, so that reviews need not.</summary>
public partial class StyleTests
{
    private const int FileLines = 320;
    private const int TestFileLines = 450;
    private const int FunctionLines = 75;
    private const int LineLength = 190;

    [Fact]
    public void Files_are_short() => Complaints.None(
        from file in SourceFile.CSharp
        let limit = file.Path.StartsWith("tests/", StringComparison.Ordinal) || file.Path.StartsWith("e2e/", StringComparison.Ordinal) ? TestFileLines : FileLines
        where file.Lines.Length > limit
        select $"{file}: {file.Lines.Length} lines, more than {limit}");

    [Fact]
    public void Functions_are_short() => Complaints.None(
        from file in SourceFile.CSharp
        from function in Functions(file)
        where function.Length > FunctionLines
        select $"{file}:{function.Line}: {function.Length} lines, more than {FunctionLines}: {function.Header}");

    [Fact]
    public void Lines_fit_a_screen() => Complaints.None(
        from file in SourceFile.Ours
        from line in file.Lines.Select((text, index) => (text.Length, Number: index + 1))
        where line.Length > LineLength
        select $"{file}:{line.Number}: {line.Length} characters");

    [Fact]
    public void The_main_type_of_a_file_says_what_it_is_for() => Complaints.None(
        from file in SourceFile.Ours
        let declarations = TypeDeclaration().Matches(file.Code)
        let declaration = declarations.FirstOrDefault(match => match.Groups["name"].Value + ".cs" == file.Name) ?? declarations.FirstOrDefault()
        where declaration is not null && !HasSummary(file, file.LineOf(declaration.Index))
        select $"{file}:{file.LineOf(declaration.Index)}: no summary above {declaration.Value.Trim()}");

    [Fact]
    public void Names_say_what_a_type_is() => Complaints.None(
        from file in SourceFile.CSharp
        from Match declaration in TypeDeclaration().Matches(file.Code)
        where EmptyName().IsMatch(declaration.Groups["name"].Value)
        select $"{file}:{file.LineOf(declaration.Index)}: {declaration.Groups["name"].Value} says nothing");

    [Fact]
    public void No_exception_is_swallowed_without_a_reason() => Complaints.None(
        from file in SourceFile.CSharp
        from Match match in EmptyCatch().Matches(file.Text)
        select $"{file}:{file.LineOf(match.Index)}: an empty catch; handle it, or say in it why nothing is to be done");

    [Fact]
    public void No_line_ends_in_spaces_and_every_file_ends_in_one_line_break() => Complaints.None(
        from file in SourceFile.All
        from complaint in file.Lines.Select((line, index) => line.EndsWith(' ') || line.EndsWith('\t') || line.EndsWith('\r') ? $"{file}:{index + 1}: the line ends in white space" : "")
            .Append(file.Text.Length == 0 || (file.Text.EndsWith('\n') && !file.Text.EndsWith("\n\n", StringComparison.Ordinal)) ? "" : $"{file}: must end in one line break")
        where complaint.Length > 0
        select complaint);

    /// <summary>The outermost blocks that are not types: methods, constructors, accessors of some length.</summary>
    private static IEnumerable<(int Line, int Length, string Header)> Functions(SourceFile file)
    {
        var lines = file.Code.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() != "{") continue;
            var indent = lines[i].Length - lines[i].TrimStart().Length;
            var header = i - 1;
            while (header > 0 && (lines[header].Trim().Length == 0 || Indent(lines[header]) > indent)) header--;
            if (TypeDeclaration().IsMatch(lines[header])) continue;
            var end = i + 1;
            while (end < lines.Length && !(lines[end].TrimStart().StartsWith('}') && Indent(lines[end]) == indent)) end++;
            // A table of data may be as long as it has to be.
            if (!Data().IsMatch(lines[header])) yield return (header + 1, end - header + 1, lines[header].Trim());
            i = end;
        }

        static int Indent(string line) => line.Length - line.TrimStart().Length;
    }

    private static bool HasSummary(SourceFile file, int line)
    {
        for (var above = line - 2; above >= 0; above--)
        {
            var text = file.Lines[above].Trim();
            if (text.StartsWith("///", StringComparison.Ordinal)) return true;
            if (!text.StartsWith('[') && !text.EndsWith(']') && !text.EndsWith(',')) return false;
        }

        return false;
    }

    [GeneratedRegex(@"^[ ]*(?:(?:public|internal|private|protected|static|sealed|abstract|partial|readonly|ref|file|new)\s+)*(?:class|record struct|record|struct|interface|enum)\s+(?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"^[^(]*[^=!<>]=[^=>]")]
    private static partial Regex Data();

    [GeneratedRegex("(Manager|Helpers?|Utils?|Utility|Utilities|Processor)$")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"\bcatch\b\s*(\([^)]*\))?\s*(when\s*\([^{]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();
}
