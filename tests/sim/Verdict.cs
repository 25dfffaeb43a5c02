using System.Globalization;

namespace KruiseImage.Sim;

/// <summary>What became of one seed.</summary>
/// <param name="Violation">Null: all was well.</param>
/// <param name="Writes">Of the product, but for leases and events.</param>
/// <param name="Idle">Those that changed nothing.</param>
/// <param name="Slots">Dispatches that were held against parallelism.</param>
/// <param name="Digest">Of the whole history: the same for the same seed.</param>
internal sealed record Verdict(
    int Seed, int Acts, string? Violation, TimeSpan Time, long Events, long Writes, long Idle, long LostReplies, long Restarts, long Slots, TimeSpan Convergence, ulong Digest)
{
    public IReadOnlyList<string> Trace { get; init; } = [];

    /// <summary>For the process that put the work out.</summary>
    public string Line => string.Join('\t', [
        .. new IFormattable[] { Seed, Acts, Time.Ticks, Events, Writes, Idle, LostReplies, Restarts, Slots, Convergence.Ticks, Digest }.Select(number => number.ToString(null, CultureInfo.InvariantCulture)),
        Violation?.ReplaceLineEndings(" ").Replace('\t', ' ') ?? ""]);

    public static Verdict Parse(string line)
    {
        var words = line.Split('\t');
        return new Verdict(
            (int)Number(0), (int)Number(1), words[11].Length == 0 ? null : words[11], TimeSpan.FromTicks(Number(2)), Number(3), Number(4), Number(5), Number(6), Number(7), Number(8),
            TimeSpan.FromTicks(Number(9)), ulong.Parse(words[10], CultureInfo.InvariantCulture));

        long Number(int index) => long.Parse(words[index], CultureInfo.InvariantCulture);
    }
}
