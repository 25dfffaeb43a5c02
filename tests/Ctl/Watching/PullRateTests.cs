using CsCheck;
using KruiseImage.Modes.Ctl.Watching;
using Xunit;

namespace KruiseImage.Tests.Ctl.Watching;

public class PullRateTests
{
    private static DateTimeOffset At(double seconds) => Samples.Start.AddSeconds(seconds);

    private static PullRate Begin(DateTimeOffset? startedAt, double percent, double seconds) => PullRate.Begin(startedAt, PullAmount.Percent(percent), At(seconds));

    private static PullAmount Bytes(long done, long total = 1_000_000) => PullAmount.Of(new() { Progress = 7, BytesDone = done, BytesTotal = total });

    /// <summary>Any percentages at any times, backwards too, and asked at any time.</summary>
    [Fact]
    public void It_is_never_negative_nor_endless_whatever_the_clocks_do() =>
        Gen.Select(Gen.Select(Gen.Double[-1000, 1000], Gen.Double[-50, 150]).Array[1, 60], Gen.Double[-2000, 2000]).Sample((samples, asked) =>
        {
            var rate = PullRate.Begin(samples[0].Item1 < 0 ? At(samples[0].Item1 - 5) : null, PullAmount.Percent(samples[0].Item2), At(samples[0].Item1));
            foreach (var (seconds, percent) in samples[1..]) rate = rate.Next(PullAmount.Percent(percent), At(seconds));
            if (rate.PercentPerSecond(At(asked)) is { } perSecond) Assert.InRange(perSecond, 0, 100);
            if (rate.Remaining(At(asked)) is { } left) Assert.InRange(left, TimeSpan.Zero, TimeSpan.FromDays(1));
        });

    [Fact]
    public void The_same_said_again_changes_nothing() =>
        Gen.Select(Gen.Int[0, 100].Array[1, 20], Gen.Int[1, 5]).Sample((percents, times) =>
        {
            var (once, often) = (Begin(null, percents[0], 0), Begin(null, percents[0], 0));
            foreach (var (i, percent) in percents[1..].Index())
            {
                once = once.Next(PullAmount.Percent(percent), At(i + 1));
                for (var time = 0; time < times; time++) often = often.Next(PullAmount.Percent(percent), At(i + 1));
            }
            Assert.Equal(once, often);
            Assert.Equal(once.PercentPerSecond(At(30)), often.PercentPerSecond(At(30)));
        });

    [Fact]
    public void A_steady_pull_has_the_rate_that_it_has()
    {
        var rate = Begin(null, 0, 0);
        for (var second = 1; second <= 45; second++) rate = rate.Next(PullAmount.Percent(second * 2), At(second));
        Assert.Equal(2, rate.PercentPerSecond(At(45))!.Value, 3);
        Assert.Equal(5, rate.Remaining(At(45))!.Value.TotalSeconds, 3);
    }

    [Fact]
    public void A_start_from_what_was_there_is_forgotten_within_the_window()
    {
        var rate = Begin(At(0), 80, 2); // 40 % a second, as it looks
        for (var second = 3; second <= 40; second++) rate = rate.Next(PullAmount.Percent(80 + (second - 2) * 0.5), At(second));
        Assert.Equal(0.5, rate.PercentPerSecond(At(40))!.Value, 2);
    }

    [Fact]
    public void A_stall_shows_while_it_lasts()
    {
        var rate = Begin(At(0), 50, 10);
        Assert.Equal(5, rate.PercentPerSecond(At(10))!.Value, 3);
        Assert.Equal(2.5, rate.PercentPerSecond(At(20))!.Value, 3);
        Assert.Equal(0, rate.PercentPerSecond(At(60))!.Value, 3);
        Assert.Null(rate.Remaining(At(60)));
    }

    [Fact]
    public void A_new_attempt_and_a_clock_that_is_set_back_begin_anew()
    {
        var rate = Begin(At(0), 50, 10);
        Assert.Null(rate.Next(PullAmount.Percent(10), At(11)).PercentPerSecond(At(11)));
        Assert.Null(rate.Next(PullAmount.Percent(60), At(-100)).PercentPerSecond(At(-100)));
    }

    [Fact]
    public void Nothing_is_said_of_the_first_moment() => Assert.Null(Begin(null, 3, 0).PercentPerSecond(At(0.5)));

    [Fact]
    public void Bytes_are_preferred_and_percent_follow_from_them()
    {
        var rate = PullRate.Begin(null, Bytes(0), At(0)).Next(Bytes(50_000), At(10));
        Assert.Equal((5_000, 0.5), (rate.BytesPerSecond(At(10)), rate.PercentPerSecond(At(10))));
        Assert.Equal(190, rate.Remaining(At(10))!.Value.TotalSeconds, 3);
        Assert.Null(Begin(At(0), 50, 10).BytesPerSecond(At(10)));
    }

    /// <summary>A pull shows as 0 % before its bytes are known; an old daemon may go on with what a new one began; a tag may be moved.</summary>
    [Fact]
    public void What_is_measured_in_something_else_begins_anew()
    {
        Assert.Null(Begin(At(0), 1, 5).Next(Bytes(900_000), At(6)).BytesPerSecond(At(6)));
        Assert.Null(PullRate.Begin(At(0), Bytes(10_000), At(5)).Next(PullAmount.Percent(90), At(6)).PercentPerSecond(At(6)));
        Assert.Null(PullRate.Begin(At(0), Bytes(10_000), At(5)).Next(Bytes(20_000, 30_000), At(6)).BytesPerSecond(At(6)));
    }

    /// <summary>A percent a minute: it does not stand still between two of them, and when it does, that shows.</summary>
    [Fact]
    public void A_slow_pull_has_a_rate_until_its_next_percent_is_overdue()
    {
        var rate = PullRate.Begin(null, Bytes(0), At(0));
        for (var minute = 1; minute <= 5; minute++) rate = rate.Next(Bytes(minute * 10_000), At(minute * 60));
        for (var second = 300; second <= 360; second += 5) Assert.Equal(10_000 / 60.0, rate.BytesPerSecond(At(second))!.Value, 1);
        Assert.InRange(rate.BytesPerSecond(At(400))!.Value, 50, 150);
        Assert.Equal(0, rate.BytesPerSecond(At(500)));
    }
}
