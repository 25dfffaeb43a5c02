using System.Text.RegularExpressions;
using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>docs/contract.md names the proof of each clause, SECURITY.md that of each claim; the proofs exist.</summary>
public sealed partial class ContractTests
{
    [Fact]
    public void Every_clause_has_a_proof_and_every_proof_exists()
    {
        var tests = SourceFile.CSharp.ToLookup(file => Path.GetFileNameWithoutExtension(file.Name), StringComparer.Ordinal);
        var rows = Rows().ToList();
        Assert.NotEmpty(rows);
        Complaints.None(rows.Where(row => !Proof().IsMatch(row)).Select(row => $"no proof: {row}"));
        Complaints.None(
            from row in rows
            from Match proof in Proof().Matches(row)
            where !tests[proof.Groups["file"].Value].Any(file => file.Code.Contains($" {proof.Groups["test"].Value}(", StringComparison.Ordinal))
            select $"no such test: {proof.Value}");
    }

    [Fact]
    public void Every_proof_of_SECURITY_md_exists()
    {
        var tests = SourceFile.CSharp.ToLookup(file => Path.GetFileNameWithoutExtension(file.Name), StringComparer.Ordinal);
        var proofs = Proof().Matches(SourceFile.All.Single(file => file.Path == "SECURITY.md").Text);
        Assert.NotEmpty(proofs);
        Complaints.None(
            from Match proof in proofs
            where !tests[proof.Groups["file"].Value].Any(file => file.Code.Contains($" {proof.Groups["test"].Value}(", StringComparison.Ordinal))
            select $"no such test: {proof.Value}");
    }

    /// <summary>A promise without a row is a promise that nobody checks.</summary>
    [Fact]
    public void Every_clause_of_the_contract_has_a_row()
    {
        var clauses = LastOfSection.SelectMany((last, section) => Enumerable.Range(1, last).Select(clause => $"{section + 1}.{clause}"));
        Complaints.None(clauses.Except(Rows().Select(row => Clause().Match(row).Groups["clause"].Value)).Select(clause => $"docs/contract.md has no row for {clause}"));
    }

    /// <summary>"=" is a promise about any implementation; what the API shows of it is a file of e2e/conformance.</summary>
    [Fact]
    public void What_is_the_same_as_OpenKruise_has_a_conformance_file()
    {
        var files = SourceFile.All.Where(file => file.Folder == "e2e/conformance" && file.Name.EndsWith(".yaml", StringComparison.Ordinal)).ToList();
        var proven = files.ToLookup(file => FileClause().Match(file.Text).Groups[1].Value, StringComparer.Ordinal);
        Complaints.None(files.Where(file => !file.Name.StartsWith(FileClause().Match(file.Text).Groups[1].Value + "-", StringComparison.Ordinal))
            .Select(file => $"{file}: its name should begin with the clause that it says"));
        Complaints.None(
            from row in Rows()
            let clause = Clause().Match(row)
            where clause.Groups["mark"].Value == "=" && !NotOfTheApi.Contains(clause.Groups["clause"].Value) && !proven.Contains(clause.Groups["clause"].Value)
            select $"no file of e2e/conformance for {clause.Groups["clause"].Value}");
    }

    /// <summary>How many clauses the sections have that our contract numbers: 1.1 to 1.5, 2.1 to 2.8 and so on.</summary>
    private static readonly int[] LastOfSection = [5, 8, 11, 6, 10, 1, 4];

    /// <summary>Marked "=", and shown by nothing that the API serves: plugins are files of a node.</summary>
    private static readonly string[] NotOfTheApi = ["4.4"];

    private static IEnumerable<string> Rows() => SourceFile.All.Single(file => file.Path == "docs/contract.md").Lines.Where(line => Clause().IsMatch(line));

    [GeneratedRegex(@"^\| (?<clause>\d+\.\d+) \| (?<mark>[=+]?)")]
    private static partial Regex Clause();

    [GeneratedRegex(@"^clause: ""([0-9.]+)""", RegexOptions.Multiline)]
    private static partial Regex FileClause();

    [GeneratedRegex(@"`(?<file>\w+(Tests|Scenarios))\.(?<test>\w+)`")]
    private static partial Regex Proof();
}
