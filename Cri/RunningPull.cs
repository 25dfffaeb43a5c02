using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>A pull that the runtime works on, whoever still waits for it: since when, how far, whether it goes on too long. Pure; the pull table owns it.</summary>
internal sealed class RunningPull(long number, string reference, DateTimeOffset startedAt, PullLimits limits)
{
    private readonly StallWatch _stall = new(limits.MinBytesPerSecond, limits.StallTimeout);

    public long Number => number;

    public string Reference => reference;

    /// <summary>How far it is; null before the first sample.</summary>
    public PullProgress? Measured { get; private set; }

    public DateTimeOffset? StallsAt => _stall.WindowEnd;

    public DateTimeOffset TimesOutAt(PullEntry entry) => startedAt + entry.Timeout;

    public TimeSpan Elapsed(DateTimeOffset now) => now - startedAt;

    /// <summary>
    /// What to show. It never falls within an attempt (contract 2.7), also when a layer is fetched again. Where an attempt starts is for
    /// its first sample to say: most go on where the one before was cut off.
    /// </summary>
    public PullProgress Measure(PullProgress sample, DateTimeOffset now)
    {
        _stall.Sample(sample, now);
        var least = Measured?.BytesDone ?? 0;
        var total = Measured?.BytesTotal ?? sample.BytesTotal; // of one attempt it is one image
        Measured = new PullProgress(Math.Max(least, Math.Min(sample.BytesDone, total)), total);
        return Measured;
    }

    public PullFailure? Overdue(PullEntry entry, DateTimeOffset now)
    {
        if (TimesOutAt(entry) <= now) return new PullFailure(PullReason.Timeout, $"the attempt took longer than {entry.Timeout.TotalSeconds:0} s");
        _stall.Look(now);
        return _stall.IsStalled
            ? new PullFailure(PullReason.Timeout, $"fewer than {limits.MinBytesPerSecond} bytes/s arrived for {limits.StallTimeout.TotalSeconds:0} s")
            : null;
    }
}
