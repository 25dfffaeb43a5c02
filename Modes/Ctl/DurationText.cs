using System.Globalization;

namespace KruiseImage.Modes.Ctl;

/// <summary>Durations as people type and read them: "600s", "10m", "1h30m".</summary>
public static class DurationText
{
    /// <summary>Whole seconds, as Go writes durations, and days; a bare number counts seconds. At most what an API field holds.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bare))
        {
            duration = TimeSpan.FromSeconds(bare);
            return true;
        }

        var rest = text.AsSpan();
        var seconds = 0L;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
            var unitSeconds = rest[digits] switch { 's' => 1L, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
            if (unitSeconds == 0) return false;
            seconds += count * unitSeconds;
            if (seconds > int.MaxValue) return false;
            rest = rest[(digits + 1)..];
        }
        duration = TimeSpan.FromSeconds(seconds);
        return text.Length > 0;
    }

    /// <summary>As kubectl prints ages: two units while that says more, one when it does not.</summary>
    public static string Short(TimeSpan duration)
    {
        var seconds = (long)Math.Max(0, duration.TotalSeconds);
        var (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        return seconds switch
        {
            < 120 => $"{seconds}s",
            < 600 => seconds % 60 == 0 ? $"{minutes}m" : $"{minutes}m{seconds % 60}s",
            < 10800 => $"{minutes}m",
            < 28800 => minutes % 60 == 0 ? $"{hours}h" : $"{hours}h{minutes % 60}m",
            < 172800 => $"{hours}h",
            < 691200 => hours % 24 == 0 ? $"{days}d" : $"{days}d{hours % 24}h",
            _ => $"{days}d",
        };
    }

    /// <summary>How long ago; "-" when it never was.</summary>
    public static string Age(DateTimeOffset? since, DateTimeOffset now) => since is null ? "-" : Short(now - since.Value);
}
