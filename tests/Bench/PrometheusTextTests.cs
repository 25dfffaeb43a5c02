using KruiseImage.Bed;
using KruiseImage.Bench;
using Xunit;

namespace KruiseImage.Tests.Bench;

public class PrometheusTextTests
{
    private const string Page = """
        # HELP requests_total Requests, {by} verb.
        # TYPE requests_total counter
        requests_total{verb="GET",resource="pods, and \"more\"",subresource=""} 12
        requests_total{verb="PATCH",resource="nodes",subresource="status"} 1.5e+03
        requests_total_seconds{verb="GET"} 99
        up 1
        """;

    [Fact]
    public void Samples_have_their_labels_and_values()
    {
        var samples = PrometheusText.Read(Page, "requests_total").ToList();
        Assert.Equal([12, 1500], samples.Select(sample => sample.Value));
        Assert.Equal(["GET", "PATCH"], samples.Select(sample => sample.Labels["verb"]));
        Assert.Equal("pods, and \\\"more\\\"", samples[0].Labels["resource"]);
        Assert.Equal("", samples[0].Labels["subresource"]);
    }

    [Fact]
    public void A_sample_may_have_no_labels()
    {
        var sample = Assert.Single(PrometheusText.Read(Page, "up"));
        Assert.Equal(1, sample.Value);
        Assert.Empty(sample.Labels);
    }

    [Fact]
    public void A_name_that_only_begins_so_is_another() => Assert.Empty(PrometheusText.Read(Page, "requests"));

    [Fact]
    public void The_mean_of_a_loop_is_that_of_what_came_since()
    {
        static LoopTimes At(int sum, int count) => LoopTimes.Read($$"""
            kruise_image_queue_wait_seconds_sum{loop="jobs"} {{sum}}
            kruise_image_queue_wait_seconds_count{loop="jobs"} {{count}}
            kruise_image_reconcile_seconds_sum{loop="jobs"} 1
            kruise_image_reconcile_seconds_count{loop="jobs"} {{count}}
            """);
        Assert.Equal("jobs 500.0 + 0.0 ms", At(4, 14).Since(At(2, 10), "jobs"));
        Assert.Equal("jobs 0.0 + 0.0 ms", At(4, 14).Since(At(4, 14), "jobs"));
    }
}
