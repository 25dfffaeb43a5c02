namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>
/// How fast a pull gets on, from the percentages that were seen of it: over the last half minute, so that a start from what was there
/// already, or a stall, does not colour it for long. Objects carry no bytes, so it counts percent. A value: each sample makes the next one.
/// Whatever samples come, the rate is never negative, and never a division by nothing: a clock that is set back, or a pull that
/// begins anew, starts the window again.
/// </summary>
public sealed record PullRate
{
    private const int MostSamples = 32;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    /// <summary>Over less than this a single percent would look like a speed.</summary>
    private static readonly TimeSpan LeastSpan = TimeSpan.FromSeconds(1);

    /// <summary>More than this is no forecast.</summary>
    private static readonly TimeSpan LongestForecast = TimeSpan.FromDays(1);

    /// <summary>Oldest first, times rising, percentages not falling; never empty.</summary>
    private readonly (DateTimeOffset At, double Percent)[] _samples;

    private PullRate((DateTimeOffset At, double Percent)[] samples) => _samples = samples;

    /// <summary>Of a pull that is seen for the first time: it began at nothing when it started, if that is known and was before.</summary>
    public static PullRate Begin(DateTimeOffset? startedAt, double percent, DateTimeOffset now)
    {
        percent = Math.Clamp(percent, 0, 100);
        return new PullRate(startedAt is { } start && start < now ? [(start, 0), (now, percent)] : [(now, percent)]);
    }

    public PullRate Next(double percent, DateTimeOffset now)
    {
        percent = Math.Clamp(percent, 0, 100);
        var (lastAt, lastPercent) = _samples[^1];
        if (percent < lastPercent || now < lastAt) return new PullRate([(now, percent)]);
        if (percent <= lastPercent || now == lastAt) return this; // that it stands still shows when the rate is asked for
        // What is older than the window goes, but for one sample at its beginning: the rate is measured from there.
        var first = Array.FindLastIndex(_samples, sample => sample.At <= now - Window);
        var kept = _samples[Math.Max(first, 0)..];
        return new PullRate([.. kept[Math.Max(0, kept.Length - MostSamples + 1)..], (now, percent)]);
    }

    /// <summary>Null before anything can be said.</summary>
    public double? PercentPerSecond(DateTimeOffset now)
    {
        var first = _samples[0];
        var last = _samples[^1];
        // Since the last percent time has passed as well.
        var until = now > last.At ? now : last.At;
        var begin = Array.FindLast(_samples, sample => sample.At <= until - Window) is { } found && found != default ? found : first;
        var span = until - begin.At;
        return span < LeastSpan ? null : (last.Percent - begin.Percent) / span.TotalSeconds;
    }

    /// <summary>Null while nothing gets on, or when it would be no forecast but a joke.</summary>
    public TimeSpan? Remaining(DateTimeOffset now)
    {
        if (PercentPerSecond(now) is not { } rate) return null;
        var left = 100 - _samples[^1].Percent;
        if (left <= 0) return TimeSpan.Zero;
        return left / LongestForecast.TotalSeconds >= rate ? null : TimeSpan.FromSeconds(left / rate);
    }

    /// <summary>The numbers decide, as in any record; arrays alone would be the same only if they were one.</summary>
    public bool Equals(PullRate? other) => other is not null && _samples.AsSpan().SequenceEqual(other._samples);

    public override int GetHashCode() => HashCode.Combine(_samples.Length, _samples[^1]);
}
