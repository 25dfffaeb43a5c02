using KruiseImage.Bed;
using KruiseImage.Bench;
using Xunit;

namespace KruiseImage.Tests.Bench;

public class ReportTests
{
    private static readonly Circumstances Here = new("kruise-image 0.1.0", "abc", "2 × chip", "kube-apiserver", "make bench", "2026-01-01", "0.1", "1.9");

    private static readonly Cost Spent = new(3, 0.25, 1.5, 61, 12.4, new Dictionary<RequestKind, int> { [new("PATCH", "nodeimages")] = 2000, [new("POST", "events")] = 2, [new("PUT", "leases")] = 9 }, 5.06);

    [Fact]
    public void A_row_has_its_ratio_its_costs_and_its_requests()
    {
        var table = Report.Table(Here, [new("W2", 2000, 2.46, 2, Spent, "a job", [Goals.Ratio(2.46 / 2)], 1.07)]);
        Assert.Contains("| W2 | 2,000 | 2.46 s | 2.00 s | 1.23x | 1.07x | 0.25 s | 1.50 s | 61 MB | 12 MB | 5.1 MB | 2,000 PATCH nodeimages, 9 PUT leases, 2 POST events |", table, StringComparison.Ordinal);
        Assert.Contains("| W2 | 2000 | a job | floor ≤ 1.15x: 1.23x **missed** |", table, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_measured_is_a_dash() =>
        Assert.Contains("| B |  | - | - | - | - | - | - | - | - | - | - |", Report.Table(Here, [new("B", null, null, null, null, "", [])]), StringComparison.Ordinal);

    [Fact]
    public void The_rest_of_the_document_stays()
    {
        var first = Report.Insert("# Performance\n\nWords.\n", "| one |");
        Assert.Equal($"# Performance\n\nWords.\n\n{Report.Begin}\n\n| one |\n\n{Report.End}\n", first);
        Assert.Equal($"# Performance\n\nWords.\n\n{Report.Begin}\n\n| two |\n\n{Report.End}\n\n## More\n", Report.Insert(first + "\n## More\n", "| two |\n"));
    }

    [Fact]
    public void Half_a_marker_is_no_place() => Assert.Throws<BedException>(() => Report.Insert($"{Report.End}\n{Report.Begin}", "| one |"));

    [Fact]
    public void The_leaders_lease_is_no_write_of_objects() => Assert.Equal(2002, Spent.Writes);

    [Theory]
    [InlineData(1.15, true)]
    [InlineData(1.16, false)]
    public void A_goal_may_just_be_met(double ratio, bool met) => Assert.Equal(met, Goals.Ratio(ratio).IsMet);

    [Theory]
    [InlineData(12, 10, true)] // the first, the last, and one each second
    [InlineData(13, 10, false)]
    [InlineData(2, 0.1, true)]
    public void The_first_and_the_last_status_write_of_a_job_may_come_at_once(int writes, double seconds, bool met) => Assert.Equal(met, Goals.StatusWrites(writes, seconds).IsMet);

    [Fact]
    public void What_is_counted_must_be_exact() => Assert.False(Goals.Count("patches per node", 1.002, 1).IsMet);

    [Theory]
    [InlineData(1.2, true)] // 0.25 s at 500 nodes are 1.2 s at 2,000 when a node costs 1.2 times as much
    [InlineData(1.3, false)]
    public void A_node_may_not_cost_more_in_a_larger_cluster(double secondsAt2000, bool met)
    {
        var rows = Goals.WithGrowth([new("W2", 500, 1, 1, Spent, "", []), new("W2", 2000, 4, 4, Spent with { CpuSeconds = secondsAt2000 }, "", []), new("W3", 2000, 4, 4, Spent, "", [])]);
        Assert.Equal(met, Assert.Single(rows[1].Goals).IsMet);
        Assert.Empty(rows[0].Goals);
        Assert.Empty(rows[2].Goals);
    }
}
