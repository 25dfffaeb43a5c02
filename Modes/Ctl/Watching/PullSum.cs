using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>
/// Pulls under way taken together, of a cluster, a job or a node: those whose daemons tell bytes. Pure.
/// </summary>
/// <param name="Pulls">How many pulls there are.</param>
/// <param name="Told">How many of them tell bytes.</param>
/// <param name="BytesPerSecond">Of those whose rate is known; null when it is known of none.</param>
public sealed record PullSum(int Pulls, int Told, long BytesDone, long BytesTotal, double? BytesPerSecond)
{
    public static PullSum Of(IEnumerable<PullEntry> entries, DateTimeOffset now)
    {
        var (pulls, told, done, total) = (0, 0, 0L, 0L);
        double? rate = null;
        foreach (var entry in entries)
        {
            if (entry.Phase != PullPhase.Pulling) continue;
            pulls++;
            if (PullAmount.Of(entry.Answer!) is not { IsBytes: true } amount) continue;
            told++;
            // A schema bounds no sum: whatever nodes claim, it stays a number.
            (done, total) = (done + Math.Min((long)amount.Done, long.MaxValue - done), total + Math.Min((long)amount.Total, long.MaxValue - total));
            if (entry.Rate?.BytesPerSecond(now) is { } one) rate = (rate ?? 0) + one;
        }
        return new PullSum(pulls, told, done, total, rate);
    }

    /// <summary>"12.5 MB of 26.1 MB"; empty where nobody tells.</summary>
    public string Bytes => Told > 0 ? ByteText.Of(BytesDone, BytesTotal) : "";

    /// <summary>"12.3 MB/s"; empty where nobody tells.</summary>
    public string Rate => BytesPerSecond is { } rate ? ByteText.Rate(rate) : "";

    /// <summary>
    /// Until so many pulls have ended, those under way among them, if the others are as large and as fast. Null where fewer than half of
    /// the nodes at work tell: what is said of the rest would be a guess.
    /// </summary>
    public TimeSpan? Remaining(int pullsLeft)
    {
        if (Told == 0 || Told * 2 < Pulls || !(BytesPerSecond > 0)) return null;
        var seconds = (pullsLeft * (double)BytesTotal - Pulls * (double)BytesDone) / (Pulls * BytesPerSecond.Value);
        return seconds is >= 0 and < 86_400 ? TimeSpan.FromSeconds(seconds) : null;
    }
}
