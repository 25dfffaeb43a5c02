using System.Text.RegularExpressions;
using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>The arrows of ARCHITECTURE.md: Program → Modes → {Reconcile, Cri} → Crds, and what pure files may not know.</summary>
public partial class LayerTests
{
    /// <summary>Folder, and the namespaces that nothing in it may name.</summary>
    public static readonly TheoryData<string, string> Forbidden = new()
    {
        { "Crds", "Modes" },
        { "Crds", "Reconcile" },
        { "Crds", "Cri" },
        { "Reconcile", "Modes" },
        { "Reconcile", "Cri" },
        { "Cri", "Modes" },
        { "Cri", @"Reconcile(?!\.Kube\b)" },
        { "Reconcile/Kube", @"Reconcile\.(?!Kube\b)\w" },
    };

    /// <summary>Decide, and do nothing: no tasks, no network, no clock, no chance, no logger.</summary>
    private static readonly string[] Pure =
        ["*Planner.cs", "*Machine.cs", "*Core.cs", "*Plan.cs", "PullTable.cs", "PullState.cs", "StatusLedger.cs", "RunningPull.cs", "PullLease.cs", "LeaseMark.cs", "LeaseLedger.cs", "LeaderLease.cs", "JobTally.cs", "Backoff.cs", "NodeSlots.cs", "*StatusWriter.cs", "ChildTemplate.cs",
         "StatusReport.cs", "JobConditions.cs", "TtlAfterFinished.cs", "CredentialProviderConfig.cs", "ProviderProtocol.cs", "CredentialCache.cs", "GoDuration.cs"];

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void A_layer_does_not_know_those_above_it(string folder, string forbidden)
    {
        var name = new Regex($@"\bKruiseImage\.{forbidden}\b|(?m)^using {forbidden}\b");
        Complaints.None(from file in SourceFile.Ours
                        where file.Folder == folder || file.Folder.StartsWith(folder + "/", StringComparison.Ordinal)
                        from Match match in name.Matches(file.Code)
                        select $"{file}:{file.LineOf(match.Index)}: {folder} must not refer to {match.Value}");
    }

    [Fact]
    public void Resource_folders_do_not_see_one_another()
    {
        var folders = SourceFile.Ours.Select(file => file.Folder).Where(folder => folder.StartsWith("Reconcile/", StringComparison.Ordinal))
            .Select(folder => folder.Split('/')[1]).Where(folder => folder != "Kube").Distinct().ToList();
        Complaints.None(from file in SourceFile.Ours
                        from mine in folders
                        where file.Folder.StartsWith("Reconcile/" + mine, StringComparison.Ordinal)
                        from other in folders
                        where other != mine && Regex.IsMatch(file.Code, $@"\bReconcile\.{other}\b")
                        select $"{file}: {mine} must not refer to {other}");
    }

    /// <summary>Without this the rules above could be walked around.</summary>
    [Fact]
    public void A_namespace_is_its_folder() => Complaints.None(
        from file in SourceFile.Ours
        let match = Namespace().Match(file.Code)
        let expected = file.Folder.Length == 0 ? "KruiseImage" : "KruiseImage." + file.Folder.Replace('/', '.')
        where match.Groups[1].Value != expected
        select $"{file}: namespace {match.Groups[1].Value} should be {expected}");

    [Fact]
    public void Pure_files_only_compute()
    {
        var pure = SourceFile.Ours.Where(file => file.Folder == "Crds" || Pure.Any(pattern => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, file.Name)));
        Complaints.None(from file in pure
                        from Match match in Impure().Matches(file.Code)
                        select $"{file}:{file.LineOf(match.Index)}: {match.Value} has no place in a pure file");
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(Task|ValueTask|async|await|HttpClient|Grpc|ILogger|TimeProvider|Random|Thread|Stopwatch|Console|UtcNow|Environment|FileStream)\b")]
    private static partial Regex Impure();
}
