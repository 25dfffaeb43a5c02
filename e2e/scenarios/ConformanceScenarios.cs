using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// The contract's "=" clauses as files (e2e/conformance), each a case of its own: on our bed, on kind, and with CLUSTER=external on
/// any cluster that has the CRDs (`make conformance`).
/// </summary>
public sealed class ConformanceScenarios(SharedCluster shared) : Scenario(shared)
{
    private static readonly string Folder = Path.Combine(Parts.RepositoryRoot, "e2e/conformance");

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Folder, "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_cluster_does_as_the_file_says(string name)
    {
        var file = ConformanceFile.Read(Path.Combine(Folder, name + ".yaml"));
        var target = new ConformanceTarget(Cluster);
        Assert.SkipWhen(target.Lacks(file.Needs) is not null, $"{file.Clause} {file.Title}: {target.Lacks(file.Needs)}");
        await file.RunAsync(Api, await target.OfferAsync(file, name, Cancellation), Cancellation);
    }

    /// <summary>A suite that cannot fail proves nothing.</summary>
    [Fact]
    public async Task A_wrong_expectation_fails_and_says_what_was_expected_where_and_what_was_seen()
    {
        var file = ConformanceFile.Read(Path.Combine(Folder, "control/wrong-expectation.yaml"));
        var wrong = await Assert.ThrowsAsync<ConformanceException>(async () =>
            await file.RunAsync(Api, await new ConformanceTarget(Cluster).OfferAsync(file, "control", Cancellation), Cancellation));
        Assert.Equal("wrong-expectation, step 2: ImagePullJob wrong: spec.parallelism: expected 7, saw 0 (within 1 s)", wrong.Message);
    }
}
