using System.Buffers;
using System.Globalization;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>Durations as Go writes them into Kubernetes' files: "12h", "1h30m", "1.5h", "-5s", "0". Pure.</summary>
public static class GoDuration
{
    /// <summary>What Go's own type holds: 2^63 nanoseconds, some 292 years.</summary>
    private static readonly decimal MostTicks = long.MaxValue / TimeSpan.NanosecondsPerTick;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <summary>The longest first where one begins with another.</summary>
    private static readonly (string Name, decimal Ticks)[] Units =
    [
        ("ns", 1m / TimeSpan.NanosecondsPerTick),
        ("us", TimeSpan.TicksPerMicrosecond), ("µs", TimeSpan.TicksPerMicrosecond), ("μs", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan();
        var isNegative = rest.StartsWith('-');
        if (isNegative || rest.StartsWith('+')) rest = rest[1..];
        if (rest is "0") return true;
        if (rest.IsEmpty) return false;

        var ticks = 0m;
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOfAnyExcept(NumberCharacters);
            if (end <= 0 || !TryNumber(rest[..end], out var number)) return false;
            rest = rest[end..];
            if (!TryUnit(rest, out var unit)) return false;
            rest = rest[unit.Name.Length..];
            ticks += number * unit.Ticks;
            if (ticks > MostTicks) return false;
        }
        duration = TimeSpan.FromTicks((long)(isNegative ? -ticks : ticks));
        return true;
    }

    /// <summary>Longer numbers are no durations of this world, and would overflow.</summary>
    private static bool TryNumber(ReadOnlySpan<char> digits, out decimal number)
    {
        number = 0;
        return digits.Length <= 18 && digits is not "." && decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }

    private static bool TryUnit(ReadOnlySpan<char> text, out (string Name, decimal Ticks) unit)
    {
        foreach (var known in Units)
        {
            if (!text.StartsWith(known.Name, StringComparison.Ordinal)) continue;
            unit = known;
            return true;
        }
        unit = default;
        return false;
    }
}
