namespace KruiseImage.Reconcile.Kube;

/// <summary>Exponential delays with jitter, as a function: no clock and no random source of its own.</summary>
public readonly record struct Backoff(TimeSpan First, TimeSpan Most)
{
    private const int MostDoublings = 30;

    /// <param name="failures">How often in a row it failed; 1 after the first failure.</param>
    /// <param name="jitter">From 0 to 1: the delay is between half and all of the exponential one.</param>
    public TimeSpan Delay(int failures, double jitter)
    {
        var doublings = Math.Clamp(failures - 1, 0, MostDoublings);
        var full = Math.Min(First.TotalMilliseconds * Math.Pow(2, doublings), Most.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(full * (0.5 + 0.5 * Math.Clamp(jitter, 0, 1)));
    }
}
