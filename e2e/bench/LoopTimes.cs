using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>What a controller's loops tell of their queues and their work, as sums and counts since its start. Pure.</summary>
public sealed record LoopTimes(IReadOnlyDictionary<string, (double Sum, double Count)> Waits, IReadOnlyDictionary<string, (double Sum, double Count)> Reconciles)
{
    public static LoopTimes Read(string metrics) => new(Of(metrics, "kruise_image_queue_wait_seconds"), Of(metrics, "kruise_image_reconcile_seconds"));

    /// <summary>"imagepulljobs 0.1 + 0.4 ms": the mean wait in the queue and the mean reconcile, writes included, since the earlier reading.</summary>
    public string Since(LoopTimes before, string loop) =>
        FormattableString.Invariant($"{loop} {Mean(Waits, before.Waits, loop):0.0} + {Mean(Reconciles, before.Reconciles, loop):0.0} ms");

    private static double Mean(IReadOnlyDictionary<string, (double Sum, double Count)> now, IReadOnlyDictionary<string, (double Sum, double Count)> before, string loop)
    {
        var (then, late) = (before.GetValueOrDefault(loop), now.GetValueOrDefault(loop));
        return late.Count == then.Count ? 0 : (late.Sum - then.Sum) / (late.Count - then.Count) * 1000;
    }

    private static Dictionary<string, (double Sum, double Count)> Of(string metrics, string name)
    {
        var counts = PrometheusText.Read(metrics, name + "_count").ToDictionary(sample => sample.Labels["loop"], sample => sample.Value);
        return PrometheusText.Read(metrics, name + "_sum").ToDictionary(sample => sample.Labels["loop"], sample => (sample.Value, counts[sample.Labels["loop"]]));
    }
}
