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

    /// <summary>At most one write a second, besides the one that tells the beginning and the one that tells the end.</summary>
    public static Goal StatusWrites(int writes, double seconds, int jobs = 1) =>
        AtMost("status writes per job and second, but first and last", Math.Max(0, (writes / (double)jobs) - 2) / seconds, 1, "");

    /// <summary>The same rows; each of W2 says besides what a node costs the controller, over that at the smallest size of this run.</summary>
    public static IReadOnlyList<Row> WithGrowth(IReadOnlyList<Row> rows)
    {
        var first = rows.Where(row => row is { Workload: "W2", Cost: not null }).MinBy(row => row.Nodes);
        return [.. rows.Select(row => row is { Workload: "W2", Cost: { } cost } && row != first && first?.Cost is { CpuSeconds: > 0 } least
            ? row with { Goals = [.. row.Goals, AtMost(Text($"CPU per node over that at {first.Nodes}"), cost.CpuSeconds / row.Nodes!.Value / (least.CpuSeconds / first.Nodes!.Value), 1.2, "x")] }
            : row)];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
