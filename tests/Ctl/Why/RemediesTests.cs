using System.Reflection;
using System.Text.RegularExpressions;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Why;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Tests.Tidy;
using Xunit;

namespace KruiseImage.Tests.Ctl.Why;

public partial class RemediesTests
{
    private static IEnumerable<string> Constants(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);

    [Fact]
    public void Each_reason_of_a_pull_has_a_meaning_and_something_to_do() =>
        Assert.Equal(Constants(typeof(PullReason)).Order(), Remedies.PullReasons.Select(remedy => remedy.Reason).Order());

    [Fact]
    public void Each_reason_of_a_pull_event_is_known() => Assert.All(Constants(typeof(PullEvent)), reason => Assert.NotNull(Remedies.For(reason)));

    /// <summary>As the source has them: in conditions, in recorded events, and in constants and choices that are given on to those.</summary>
    [Fact]
    public void Each_reason_that_a_planner_writes_is_known()
    {
        var written = SourceFile.Ours.Where(file => file.Path.StartsWith("Reconcile/Image", StringComparison.Ordinal) || file.Path.StartsWith("Reconcile/Secret", StringComparison.Ordinal))
            .SelectMany(file => file.Lines).Where(line => Place().IsMatch(line)).SelectMany(line => Word().Matches(line)).Select(match => match.Groups[1].Value)
            .Append(nameof(JobEnd.NoNodesMatched)).Distinct().Order().ToList();
        foreach (var known in (string[])["InvalidSpec", "ParallelismIsZero", "JobFailed", "PullSecretMissing"]) Assert.Contains(known, written); // else the search finds nothing
        Complaints.None(written.Where(reason => Remedies.For(reason) is null).Select(reason => $"{reason} is in no list of Remedies"));
        Complaints.None(Remedies.ObjectReasons.Select(remedy => remedy.Reason).Except(written).Except(Constants(typeof(PullEvent))).Select(reason => $"{reason} is written by nobody"));
    }

    [Fact]
    public void Troubleshooting_has_them_all()
    {
        Golden.CheckTable("docs/troubleshooting.md", "| reason of a node | what it means | what to do |", Rows([.. Remedies.PullReasons, .. Remedies.States]));
        Golden.CheckTable("docs/troubleshooting.md", "| reason of a condition or event | what it means | what to do |", Rows(Remedies.ObjectReasons));

        static IEnumerable<string> Rows(IEnumerable<Remedy> remedies) =>
            remedies.Select(remedy => $"| `{remedy.Reason}` | {remedy.Meaning.Replace("|", "\\|", StringComparison.Ordinal)} | {remedy.WhatToDo.Replace("|", "\\|", StringComparison.Ordinal)} |");
    }

    [Fact]
    public void A_reason_is_told_once_and_in_one_line()
    {
        Assert.Equal(Remedies.All.Count(), Remedies.All.Select(remedy => remedy.Reason).Distinct().Count());
        Assert.All(Remedies.All, remedy => Assert.False(
            remedy.Meaning.Length == 0 || remedy.WhatToDo.Length == 0 || remedy.Meaning.Contains('\n', StringComparison.Ordinal) || remedy.WhatToDo.EndsWith('.'), remedy.Reason));
    }

    [GeneratedRegex("Reason = |RecordEvent\\(|reason = |const string (Missing|Malformed)")]
    private static partial Regex Place();

    [GeneratedRegex("\"([A-Z][a-z]+(?:[A-Z][a-z]+)+)\"")]
    private static partial Regex Word();
}
