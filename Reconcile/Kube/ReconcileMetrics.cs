using Prometheus;

namespace KruiseImage.Reconcile.Kube;

/// <summary>What every loop counts.</summary>
public static class ReconcileMetrics
{
    private static readonly Histogram Duration = Metrics.CreateHistogram(
        "kruise_image_reconcile_seconds", "Time of one reconcile, writes included.", ["loop"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0001, 4, 9) });

    private static readonly Counter Outcomes = Metrics.CreateCounter("kruise_image_reconciles_total", "Reconciles by outcome.", ["loop", "outcome"]);

    private static readonly Gauge Depth = Metrics.CreateGauge("kruise_image_queue_depth", "Keys that wait for a worker.", ["loop"]);

    public static void Observe(string loop, TimeSpan elapsed, OutcomeKind outcome, int depth)
    {
        Duration.WithLabels(loop).Observe(elapsed.TotalSeconds);
        Outcomes.WithLabels(loop, outcome switch
        {
            OutcomeKind.Done => "done",
            OutcomeKind.RequeueAfter => "requeue_after",
            OutcomeKind.Retry => "retry",
            _ => "drop",
        }).Inc();
        Depth.WithLabels(loop).Set(depth);
    }
}
