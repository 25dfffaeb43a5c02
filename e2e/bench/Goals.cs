using System.Globalization;

namespace KruiseImage.Bench;

/// <summary>The goals of the project, each judged on one figure. Pure.</summary>
public static class Goals
{
    public const double MostOverFloor = 1.15;

    public static Goal Ratio(double ratio) => AtMost("floor", ratio, MostOverFloor, "x");

    /// <summary>For what is counted and must be just so.</summary>
    public static Goal Count(string what, double measured, double wanted) => new(Text($"{what} = {wanted:0.##}"), Text($"{measured:0.###}"), Math.Abs(measured - wanted) < 0.0005);

    public static Goal AtMost(string what, double measured, double most, string unit) => new(Text($"{what} ≤ {most:0.##}{unit}"), Text($"{measured:0.###}{unit}"), measured <= most);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
