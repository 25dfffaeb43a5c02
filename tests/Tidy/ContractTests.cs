using System.Text.RegularExpressions;
using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>docs/contract.md names the proof of each clause; the proof exists.</summary>
public sealed partial class ContractTests
{
    [Fact]
    public void Every_clause_has_a_proof_and_every_proof_exists()
    {
        var tests = SourceFile.CSharp.ToLookup(file => Path.GetFileNameWithoutExtension(file.Name), StringComparer.Ordinal);
        var rows = SourceFile.All.Single(file => file.Path == "docs/contract.md").Lines.Where(line => Clause().IsMatch(line)).ToList();
        Assert.NotEmpty(rows);
        Complaints.None(rows.Where(row => !Proof().IsMatch(row)).Select(row => $"no proof: {row}"));
        Complaints.None(
            from row in rows
            from Match proof in Proof().Matches(row)
            where !tests[proof.Groups["file"].Value].Any(file => file.Code.Contains($" {proof.Groups["test"].Value}(", StringComparison.Ordinal))
            select $"no such test: {proof.Value}");
    }

    [GeneratedRegex(@"^\| \d+\.\d+ \|")]
    private static partial Regex Clause();

    [GeneratedRegex(@"`(?<file>\w+(Tests|Scenarios))\.(?<test>\w+)`")]
    private static partial Regex Proof();
}
