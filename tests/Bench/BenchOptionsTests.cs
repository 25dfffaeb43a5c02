using KruiseImage.Bed;
using KruiseImage.Bench;
using Xunit;

namespace KruiseImage.Tests.Bench;

public class BenchOptionsTests
{
    [Fact]
    public void Without_words_everything_is_measured()
    {
        var options = BenchOptions.Parse(["--workloads", "", "--nodes", ""]);
        Assert.Equal(BenchOptions.AllWorkloads, options.Workloads);
        Assert.Equal([500, 2000, 5000, 10000], options.Nodes);
        Assert.Equal(32, options.Connections);
    }

    [Fact]
    public void Sizes_ascend_for_nodes_are_only_added()
    {
        var options = BenchOptions.Parse(["--nodes", "2000,20 500 20", "--workloads", "W2 W1"]);
        Assert.Equal([20, 500, 2000], options.Nodes);
        Assert.Equal(["W2", "W1"], options.Workloads);
    }

    [Theory]
    [InlineData("--workloads", "W9")]
    [InlineData("--nodes", "many")]
    [InlineData("--nodes", "0")]
    [InlineData("--conections", "3")]
    [InlineData("--nodes")]
    [InlineData("--daemons", "real")]
    public void What_is_wrong_is_said(params string[] arguments) =>
        Assert.Contains(arguments[^1], Assert.Throws<BedException>(() => BenchOptions.Parse(arguments)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_only_hollow_daemons_can_do_is_not_asked_of_others() =>
        Assert.Contains("W4 needs hollow daemons", Assert.Throws<BedException>(() => BenchOptions.Parse(["--daemons", "product", "--workloads", "W1 W4"])).Message, StringComparison.Ordinal);

    /// <summary>Runs of half a second differ by a third.</summary>
    [Theory]
    [InlineData(20, 12)]
    [InlineData(500, 12)]
    [InlineData(2000, 7)]
    [InlineData(5000, 3)]
    [InlineData(10_000, 3)]
    public void The_fewer_nodes_the_more_often(int nodes, int times)
    {
        Assert.Equal(times, BenchOptions.Parse([]).RepetitionsAt(nodes));
        Assert.Equal(7, BenchOptions.Parse(["--repetitions", "7"]).RepetitionsAt(nodes));
    }
}
