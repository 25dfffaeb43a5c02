using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>A controller keeps one <see cref="ImageTagStatus"/> for each entry of each node: what a field costs, it costs a hundred thousand times.</summary>
public class EntrySizeTests
{
    [Fact]
    public void A_status_of_an_entry_takes_no_more_than_it_did_without_bytes()
    {
        var kept = new ImageTagStatus[1_000];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < kept.Length; i++) kept[i] = new ImageTagStatus { BytesDone = i, BytesTotal = 1_000, StartTime = DateTimeOffset.UnixEpoch, NextAttemptTime = DateTimeOffset.UnixEpoch };
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / kept.Length, 1, 120);
        Assert.Equal((999, 1_000), (kept[^1].BytesDone, kept[^1].BytesTotal));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(long.MaxValue)]
    [InlineData(null)]
    public void Every_count_comes_back_and_nothing_is_not_zero(long? bytes)
    {
        var status = new ImageTagStatus { BytesDone = bytes, BytesTotal = bytes };
        Assert.Equal((bytes, bytes), (status.BytesDone, status.BytesTotal));
        Assert.Equal(bytes == 0, status == new ImageTagStatus { BytesDone = 0, BytesTotal = 0 });
    }

    [Fact]
    public void A_negative_count_counts_as_not_given() => Assert.Null(new ImageTagStatus { BytesDone = -1 }.BytesDone);
}
