using System.Globalization;
using BenchmarkDotNet.Reports;

namespace KruiseImage.Micro;

/// <summary>
/// What must not get worse. Times are compared with another time of the same run, so a slow or busy machine changes nothing;
/// allocations are the same on every machine.
/// </summary>
public static class Guards
{
    /// <summary>Room for noise: what would grow with the nodes would be five times as slow on five times as many.</summary>
    private const double Flat = 2.5;

    /// <returns>A sentence for each that does not hold.</returns>
    public static IReadOnlyList<string> Broken(IReadOnlyList<Summary> summaries)
    {
        var reports = summaries.SelectMany(summary => summary.Reports).ToDictionary(Name);
        var largest = (Nodes: 10_000, Times: 5);
        return
        [
            .. Ratio(reports, $"Plan {largest.Nodes}", "Plan 2000", Flat, "planning a job with nothing to do must not depend on the number of nodes"),
            .. Ratio(reports, $"Tally {largest.Nodes}", "Tally 2000", Flat, "an event of one node must not depend on the number of nodes"),
            .. Ratio(reports, $"Relist {largest.Nodes}", "Relist 2000", Flat * largest.Times, "a list must cost each of its objects the same"),
            .. Ratio(reports, "Decode", "Tokens", 14, "reading an event is bound by its JSON"),
            .. Ratio(reports, "DecodeStatus", "Tokens", 4, "of an event that brings another status, nothing else is built"),
            .. Bytes(reports, $"Plan {largest.Nodes}", 4_000),
            .. Bytes(reports, $"Tally {largest.Nodes}", 1_200),
            .. Bytes(reports, "Decode", 12_000),
            .. Bytes(reports, "DecodeStatus", 2_400),
            .. Bytes(reports, "Digest", 500),
        ];
    }

    private static string Name(BenchmarkReport report)
    {
        var benchmark = report.BenchmarkCase;
        return benchmark.HasParameters ? $"{benchmark.Descriptor.WorkloadMethod.Name} {benchmark.Parameters.Items[0].Value}" : benchmark.Descriptor.WorkloadMethod.Name;
    }

    private static IEnumerable<string> Ratio(Dictionary<string, BenchmarkReport> reports, string one, string other, double bound, string why)
    {
        var ratio = Time(reports, one) / Time(reports, other);
        if (!(ratio <= bound)) yield return string.Create(CultureInfo.InvariantCulture, $"{one} takes {ratio:0.0} times as long as {other}, {bound:0.0} at most: {why}");
    }

    private static IEnumerable<string> Bytes(Dictionary<string, BenchmarkReport> reports, string name, long bound)
    {
        var report = reports[name];
        var bytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase);
        if (!(bytes <= bound)) yield return string.Create(CultureInfo.InvariantCulture, $"{name} allocates {bytes} bytes, {bound} at most");
    }

    /// <summary>The fastest: what else the machine did is in all the others.</summary>
    private static double Time(Dictionary<string, BenchmarkReport> reports, string name) => reports[name].ResultStatistics?.Min ?? double.NaN;
}
