using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Watching;
using Xunit;

namespace KruiseImage.Tests.Ctl.Watching;

/// <summary>Bytes of many pulls, some of which do not tell theirs.</summary>
public class PullSumTests
{
    private static readonly DateTimeOffset Now = Samples.After(11);

    private static PullSum Sum(params ImageTagStatus[] answers) =>
        PullSum.Of(answers.SelectMany((answer, i) => PullEntry.Of(Samples.Node($"node-{i}", answer))).Select(entry => entry.Measured(null, Now)), Now);

    [Fact]
    public void Those_that_tell_are_added_up()
    {
        var sum = Sum(Samples.Pulling(50), Samples.Pulling(10), Samples.Pulling(90, 1, false), Samples.Succeeded(3), Samples.Failure(3, PullReason.Auth, "no"));
        Assert.Equal((3, 2, Samples.Size * 6 / 10, Samples.Size * 2), (sum.Pulls, sum.Told, sum.BytesDone, sum.BytesTotal));
        Assert.Equal(Samples.Size * 0.06, sum.BytesPerSecond!.Value, 1.0);
        Assert.Equal(("15.7 MB of 52.3 MB", "1.6 MB/s"), (sum.Bytes, sum.Rate));
    }

    [Fact]
    public void Where_nobody_tells_nothing_is_said()
    {
        var sum = Sum(Samples.Pulling(50, 1, false), Samples.Succeeded(3));
        Assert.Equal(("", "", null), (sum.Bytes, sum.Rate, sum.Remaining(5)));
    }

    /// <summary>Two at work with 5 % a second each, half done; two more to come: 3 images are left, at a tenth of one a second.</summary>
    [Fact]
    public void What_is_left_of_a_job_is_at_the_rate_of_those_at_work() =>
        Assert.Equal(30, Sum(Samples.Pulling(50), Samples.Pulling(50)).Remaining(4)!.Value.TotalSeconds, 1.0);

    [Fact]
    public void A_minority_that_tells_is_no_forecast()
    {
        Assert.Null(Sum(Samples.Pulling(50), Samples.Pulling(50, 1, false), Samples.Pulling(50, 1, false)).Remaining(4));
        // Three at work as fast as the two that tell, so 2 images are left at 15 % of one a second.
        Assert.Equal(2.5 / 0.15, Sum(Samples.Pulling(50), Samples.Pulling(50), Samples.Pulling(50, 1, false)).Remaining(4)!.Value.TotalSeconds, 1.0);
    }

    [Fact]
    public void A_sum_of_absurd_claims_is_still_a_number()
    {
        var absurd = Samples.Pulling(50) with { BytesDone = long.MaxValue - 7, BytesTotal = long.MaxValue };
        var sum = Sum(absurd, absurd, absurd);
        Assert.Equal(long.MaxValue, sum.BytesTotal);
        Assert.NotEqual("", sum.Bytes);
        Assert.True(sum.Remaining(5) is null || sum.Remaining(5) >= TimeSpan.Zero);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(12, "next attempt in 12s")]
    [InlineData(0, "the next attempt is due")]
    [InlineData(-500, "the next attempt is due")]
    public void The_next_attempt_in_words(int? seconds, string? words) =>
        Assert.Equal(words, PullEntry.NextAttempt(seconds is { } given ? Now.AddSeconds(given) : null, Now));
}
