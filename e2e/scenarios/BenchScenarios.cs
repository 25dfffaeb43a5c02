using System.Text.RegularExpressions;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The bench measures what it says, on a small cluster of its own: no figure of it is judged here.</summary>
public sealed class BenchScenarios(SharedCluster shared) : Scenario(shared)
{
    private const int Nodes = 20;

    /// <summary>Built beside us, in the same configuration.</summary>
    private static readonly string Bench = Path.Combine(
        Parts.RepositoryRoot, "e2e/bench", Path.GetRelativePath(Path.Combine(Parts.RepositoryRoot, "e2e/scenarios"), AppContext.BaseDirectory), "kruise-image-bench");

    [Fact]
    public async Task The_bench_measures_a_controller_beside_the_floor()
    {
        Assert.SkipUnless(Cluster is LocalCluster, "needs the local parts");
        var directory = Directory.CreateDirectory(Path.Combine(Environment.GetEnvironmentVariable("BED_DIR")!, "bench")).FullName;
        var document = Path.Combine(directory, "performance.md");
        await File.WriteAllTextAsync(document, "# Words that stay\n", Cancellation);

        var result = await CommandResult.RunAsync(Bench, ["--workloads", "W1 W2", "--nodes", $"{Nodes}", "--repetitions", "1", "--output", document],
            new Dictionary<string, string> { ["BED_DIR"] = directory }, null, Cancellation);
        var table = result.Succeeded();

        foreach (var (workload, writes, goal) in (ReadOnlySpan<(string, string, string)>)
            [("W1", $"{Nodes} POST nodeimages", "creates per node = 1: 1 met"), ("W2", $"{Nodes} PATCH nodeimages", "NodeImage patches per node = 1: 1 met")])
        {
            // Wall, floor and both ratios; CPU of both; memory, allocations, network; then the requests.
            var row = Regex.Match(table, $@"^\| {workload} \| {Nodes} \|( [\d.]+ s \|){{2}} [\d.]+x \| ([\d.]+x|-) \|( [\d.]+ s \|){{2}}( [\d.]+ MB \|){{3}} (?<requests>.*) \|$", RegexOptions.Multiline);
            Assert.True(row.Success, table);
            Assert.Contains(writes, row.Groups["requests"].Value, StringComparison.Ordinal);
            Assert.Contains(goal, table, StringComparison.Ordinal);
        }
        var written = await File.ReadAllTextAsync(document, Cancellation);
        Assert.StartsWith("# Words that stay\n", written, StringComparison.Ordinal);
        Assert.Contains(table.Trim(), written, StringComparison.Ordinal);
    }

    /// <summary>A fast pull costs one status write, also when the product's daemons decide about it.</summary>
    [Fact]
    public async Task The_products_own_daemons_may_answer()
    {
        Assert.SkipUnless(Cluster is LocalCluster, "needs the local parts");
        var directory = Directory.CreateDirectory(Path.Combine(Environment.GetEnvironmentVariable("BED_DIR")!, "bench-daemons")).FullName;
        var result = await CommandResult.RunAsync(Bench, ["--workloads", "W2", "--nodes", $"{Nodes}", "--repetitions", "1", "--daemons", "product"],
            new Dictionary<string, string> { ["BED_DIR"] = directory }, null, Cancellation);
        Assert.Matches($@"(?m)^\| W2 \| {Nodes} \|.*[ ,]{Nodes} PATCH nodeimages/status", result.Succeeded());
    }

    [Fact]
    public async Task A_word_that_it_does_not_know_is_said()
    {
        var result = await CommandResult.RunAsync(Bench, ["--workloads", "W9"], new Dictionary<string, string>(), null, Cancellation);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("there is no workload \"W9\"", result.Error, StringComparison.Ordinal);
    }
}
