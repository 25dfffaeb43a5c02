namespace KruiseImage.Cri;

/// <summary>
/// Tells a pull that crawls from one that works: it must fetch a minimum of bytes in each window, as long as bytes are missing.
/// Unpacking has no bytes to show, so it is not watched; nor is a pull whose bytes are not known. containerd itself may crawl for
/// an hour or wait for ever. One per attempt; pure, the pull table calls it.
/// </summary>
public sealed class StallWatch(long minBytesPerSecond, TimeSpan window)
{
    private DateTimeOffset? _windowStart;
    private long _bytesAtStart;

    public bool IsStalled { get; private set; }

    /// <summary>When to look again, though no sample came.</summary>
    public DateTimeOffset? WindowEnd => IsStalled ? null : _windowStart + window;

    public void Sample(PullProgress progress, DateTimeOffset now)
    {
        if (!progress.IsFetching || window <= TimeSpan.Zero)
        {
            _windowStart = null;
            return;
        }

        var needed = minBytesPerSecond * window.TotalSeconds;
        if (_windowStart is null || progress.BytesDone - _bytesAtStart >= Math.Max(1, needed))
        {
            (_windowStart, _bytesAtStart) = (now, progress.BytesDone);
        }
        Look(now);
    }

    public void Look(DateTimeOffset now)
    {
        if (WindowEnd is { } end && now >= end) IsStalled = true;
    }
}
