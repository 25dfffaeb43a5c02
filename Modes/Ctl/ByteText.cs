using System.Globalization;

namespace KruiseImage.Modes.Ctl;

/// <summary>Sizes and rates as people read them: "12.3 MB", decimal as registries and containerd count.</summary>
public static class ByteText
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    public static string Of(long bytes)
    {
        var (size, unit) = ((double)Math.Max(0, bytes), 0);
        // From 999.95 on it would read "1000.0".
        for (; size >= (unit == 0 ? 1000 : 999.95) && unit < Units.Length - 1; unit++) size /= 1000;
        return unit == 0 ? string.Create(CultureInfo.InvariantCulture, $"{size:0} B") : string.Create(CultureInfo.InvariantCulture, $"{size:0.0} {Units[unit]}");
    }

    /// <summary>"12.5 MB of 26.1 MB".</summary>
    public static string Of(long done, long total) => $"{Of(done)} of {Of(total)}";

    public static string Rate(double bytesPerSecond) => $"{Of((long)bytesPerSecond)}/s";
}
