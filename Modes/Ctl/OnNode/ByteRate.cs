namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>How fast bytes come: over the last few seconds, so that a number can be read and a stall is soon seen. Pure.</summary>
public sealed class ByteRate
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private readonly Queue<(long Bytes, DateTimeOffset At)> _samples = new();

    /// <summary>Null until two samples lie apart in time.</summary>
    public double? PerSecond { get; private set; }

    public void Sample(long bytes, DateTimeOffset now)
    {
        while (_samples.Count > 1 && now - _samples.Peek().At > Window) _samples.Dequeue();
        _samples.Enqueue((bytes, now));
        var (firstBytes, firstAt) = _samples.Peek();
        // Bytes that are fetched anew take the count back: that is no rate.
        if (now > firstAt) PerSecond = Math.Max(0, (bytes - firstBytes) / (now - firstAt).TotalSeconds);
    }
}
