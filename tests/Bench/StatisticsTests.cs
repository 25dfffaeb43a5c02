using KruiseImage.Bench;
using Xunit;

namespace KruiseImage.Tests.Bench;

public class StatisticsTests
{
    [Theory]
    [InlineData(50, 50)]
    [InlineData(99, 99)]
    [InlineData(100, 100)]
    [InlineData(0, 1)]
    public void Of_a_hundred_values_the_percentile_is_the_value_of_that_rank(double percent, double expected) =>
        Assert.Equal(expected, Statistics.Percentile(Enumerable.Range(1, 100).Reverse().Select(value => (double)value), percent));

    [Fact]
    public void It_is_always_one_of_the_values() => Assert.Equal(2, Statistics.Percentile([9, 1, 2], 50));

    [Fact]
    public void The_largest_of_few_values_is_their_99th_percentile() => Assert.Equal(9, Statistics.Percentile([1, 9, 2], 99));

    [Fact]
    public void Of_nothing_there_is_none() => Assert.Equal(double.NaN, Statistics.Median([]));
}
