using KruiseImage.Crds;
using Prometheus;

namespace KruiseImage.Cri;

/// <summary>What a daemon counts (contract 7.2). Of prometheus-net's own numbers only those of the process are kept.</summary>
public sealed class DaemonMetrics(IMetricFactory factory)
{
    private readonly Histogram _duration = factory.CreateHistogram(
        "kruise_image_pull_duration_seconds", "Time from the start of a pull to its end, all attempts together.", ["result"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.1, 2.5, 10) });

    private readonly Counter _pulls = factory.CreateCounter(
        "kruise_image_pulls_total", "Entries that ended, by reason: Succeeded, Present (nothing was to be pulled), or why they failed.", ["reason"]);

    private readonly Counter _bytes = factory.CreateCounter("kruise_image_pulled_bytes_total", "Size of the images that were pulled, as the runtime counts it.");
    private readonly Gauge _active = factory.CreateGauge("kruise_image_active_pulls", "Pulls that the runtime works on.");
    private readonly Gauge _waiting = factory.CreateGauge("kruise_image_waiting_pulls", "Entries that wait: for a slot, the runtime, or their next attempt.");

    private readonly Counter _attempts = factory.CreateCounter("kruise_image_pull_attempts_total", "Pulls that the runtime was asked for: one entry may take several.");
    private readonly Gauge _runtime = factory.CreateGauge("kruise_image_runtime_available", "1 while the container runtime answers.");

    public void Attempted() => _attempts.Inc();

    public void RuntimeAnswers(bool answers) => _runtime.Set(answers ? 1 : 0);

    public void Finished(Announce done)
    {
        var hasFailed = done.Status.Phase == PullPhase.Failed;
        _pulls.WithLabels(hasFailed ? done.Status.Reason ?? PullReason.Unknown : done.WasPresent ? "Present" : PullPhase.Succeeded).Inc();
        if (done.WasPresent) return;
        _duration.WithLabels(hasFailed ? "failed" : "succeeded").Observe(done.Elapsed.TotalSeconds);
        _bytes.Inc(done.Bytes);
    }

    public void Observe(int activePulls, int waitingEntries)
    {
        _active.Set(activePulls);
        _waiting.Set(waitingEntries);
    }
}
