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
    public void What_is_wrong_is_said(params string[] arguments) => Assert.Contains(arguments[^1], Assert.Throws<BedException>(() => BenchOptions.Parse(arguments)).Message, StringComparison.Ordinal);
}
