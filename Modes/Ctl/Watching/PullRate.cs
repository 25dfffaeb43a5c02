using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>How much of a pull is done: bytes where its daemon tells them, else percent.</summary>
public readonly record struct PullAmount(double Done, double Total, bool IsBytes)
{
    public static PullAmount Of(ImageTagStatus answer) => answer is { BytesDone: { } done, BytesTotal: > 0 and var total }
        ? new(Math.Min(done, total), total, true)
        : Percent(answer.Progress);

    public static PullAmount Percent(double percent) => new(Math.Clamp(percent, 0, 100), 100, false);
}

/// <summary>
/// How fast a pull gets on, from the amounts that were seen of it: over the last half minute, so that a start from what was there
/// already, or a stall, does not colour it for long. A value: each sample makes the next one. Whatever samples come, the rate is never
/// negative, and never a division by nothing: a clock that is set back, a pull that begins anew, or one that is measured in something
/// else from now on, starts the window again.
/// </summary>
public sealed record PullRate
{
    private const int MostSamples = 32;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    /// <summary>Over less than this a single percent would look like a speed.</summary>
    private static readonly TimeSpan LeastSpan = TimeSpan.FromSeconds(1);

    /// <summary>More than this is no forecast.</summary>
    private static readonly TimeSpan LongestForecast = TimeSpan.FromDays(1);

    /// <summary>Oldest first, times rising, amounts not falling; never empty.</summary>
    private readonly (DateTimeOffset At, double Done)[] _samples;

    private readonly double _total;
    private readonly bool _isBytes;

    private PullRate((DateTimeOffset At, double Done)[] samples, PullAmount of) => (_samples, _total, _isBytes) = (samples, of.Total, of.IsBytes);

    /// <summary>Of a pull that is seen for the first time: it began at nothing when it started, if that is known and was before.</summary>
    public static PullRate Begin(DateTimeOffset? startedAt, PullAmount amount, DateTimeOffset now) =>
        new(startedAt is { } start && start < now ? [(start, 0), (now, amount.Done)] : [(now, amount.Done)], amount);

    public PullRate Next(PullAmount amount, DateTimeOffset now)
    {
        var (lastAt, lastDone) = _samples[^1];
        if (amount.IsBytes != _isBytes || amount.Total != _total || amount.Done < lastDone || now < lastAt) return new PullRate([(now, amount.Done)], amount);
        if (amount.Done <= lastDone || now == lastAt) return this; // that it stands still shows when the rate is asked for
        // What is older than the window goes, but for one sample at its beginning, from which the rate is measured, and the step before it.
        var first = Array.FindLastIndex(_samples, sample => sample.At <= now - Window) - 1;
        var kept = _samples[Math.Max(first, 0)..];
        return new PullRate([.. kept[Math.Max(0, kept.Length - MostSamples + 1)..], (now, amount.Done)], amount);
    }

    /// <summary>Null before anything can be said, and where percent are all that is told.</summary>
    public double? BytesPerSecond(DateTimeOffset now) => _isBytes ? PerSecond(now) : null;

    /// <summary>Null before anything can be said.</summary>
    public double? PercentPerSecond(DateTimeOffset now) => PerSecond(now) * 100 / _total;

    /// <summary>Null while nothing gets on, or when it would be no forecast but a joke.</summary>
    public TimeSpan? Remaining(DateTimeOffset now)
    {
        if (PerSecond(now) is not { } rate) return null;
        var left = _total - _samples[^1].Done;
        if (left <= 0) return TimeSpan.Zero;
        return left / LongestForecast.TotalSeconds >= rate ? null : TimeSpan.FromSeconds(left / rate);
    }

    /// <summary>The numbers decide, as in any record; arrays alone would be the same only if they were one.</summary>
    public bool Equals(PullRate? other) => other is not null && (_total, _isBytes) == (other._total, other._isBytes) && _samples.AsSpan().SequenceEqual(other._samples);

    public override int GetHashCode() => HashCode.Combine(_samples.Length, _samples[^1], _total);

    private double? PerSecond(DateTimeOffset now)
    {
        var last = _samples[^1];
        // A daemon writes for each percent: a slow pull stands still only when the next one is overdue.
        var step = _samples.Length > 2 ? last.At - _samples[^2].At : TimeSpan.Zero;
        var until = now - last.At > step ? now : last.At;
        var from = Math.Max(0, Array.FindLastIndex(_samples, sample => sample.At <= until - Window));
        if (from > 0 && from == _samples.Length - 1 && until - last.At <= 2 * step) from--;
        var span = until - _samples[from].At;
        return span < LeastSpan ? null : (last.Done - _samples[from].Done) / span.TotalSeconds;
    }
}
