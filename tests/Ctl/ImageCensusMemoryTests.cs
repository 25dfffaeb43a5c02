using System.Globalization;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>Measures the memory of the whole process, so it runs when no other test does.</summary>
[CollectionDefinition(nameof(ImageCensusMemoryTests), DisableParallelization = true)]
[Collection(nameof(ImageCensusMemoryTests))]
public class ImageCensusMemoryTests
{
    /// <summary>Ten thousand nodes are counted with what one page of them takes: the census holds images, not nodes.</summary>
    [Fact]
    public void The_memory_of_a_census_does_not_grow_with_the_nodes()
    {
        var census = new ImageCensus(_ => true);
        census.Add(Page(0));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var page = 1; page < 20; page++) census.Add(Page(page));
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(10_000, Assert.Single(census.Images).Wanted);
        Assert.True(grown < 500_000, $"the census grew by {grown} bytes");
    }

    private static IEnumerable<NodeImage> Page(int page) =>
        Enumerable.Range(page * 500, 500).Select(i => Samples.Node(i.ToString(CultureInfo.InvariantCulture), Samples.Succeeded(i % 60)));
}
