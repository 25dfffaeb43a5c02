namespace KruiseImage.Cri;

/// <summary>
/// Moments that follow each other as seconds do: from the wall clock at the start on they run with the monotonic clock. The sync loop
/// decides by these, so that a step of the wall clock neither ends a pull nor prolongs it; what is written for others to read is
/// told in the wall clock's time of that moment, by <see cref="Step"/>.
/// </summary>
public sealed class SteadyClock(TimeProvider clock)
{
    private readonly DateTimeOffset _start = clock.GetUtcNow();
    private readonly long _startTimestamp = clock.GetTimestamp();

    public DateTimeOffset Now => _start + clock.GetElapsedTime(_startTimestamp);

    /// <summary>How far the wall clock is ahead of these moments by now.</summary>
    public TimeSpan Step => clock.GetUtcNow() - Now;
}
