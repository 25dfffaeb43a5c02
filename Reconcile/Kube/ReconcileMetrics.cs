using Prometheus;

namespace KruiseImage.Reconcile.Kube;

/// <summary>What every controller loop counts. The label "loop" is the loop's name.</summary>
public static class ReconcileMetrics
{
    private static readonly Histogram Duration = Metrics.CreateHistogram(
        "kruise_image_reconcile_seconds", "Time of one reconcile, writes included.", ["loop"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0001, 4, 9) });

    private static readonly Counter Outcomes = Metrics.CreateCounter(
        "kruise_image_reconciles_total", "Reconciles by how they ended: done, requeue_after, retry or drop.", ["loop", "outcome"]);

    private static readonly Gauge Depth = Metrics.CreateGauge("kruise_image_queue_depth", "Keys that wait for a worker.", ["loop"]);

    private static readonly Histogram Wait = Metrics.CreateHistogram(
        "kruise_image_queue_wait_seconds", "Time that a key was ready before a worker took it.", ["loop"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 4, 9) });

    /// <param name="waited">Of one of the keys that were taken just now, if several were.</param>
    public static void ObserveTaken(string loop, int depth, TimeSpan waited)
    {
        Depth.WithLabels(loop).Set(depth);
        Wait.WithLabels(loop).Observe(waited.TotalSeconds);
    }

    public static void ObserveReconcile(string loop, TimeSpan elapsed, OutcomeKind outcome)
    {
        Duration.WithLabels(loop).Observe(elapsed.TotalSeconds);
        Outcomes.WithLabels(loop, Name(outcome)).Inc();
    }

    private static string Name(OutcomeKind outcome) => outcome switch
    {
        OutcomeKind.Done => "done",
        OutcomeKind.RequeueAfter => "requeue_after",
        OutcomeKind.Retry => "retry",
        OutcomeKind.Drop => "drop",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };
}
