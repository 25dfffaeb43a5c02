using KruiseImage.Crds;
using Prometheus;

namespace KruiseImage.Cri;

/// <summary>What a daemon counts (contract 7.2). Of prometheus-net's own numbers only those of the process are kept.</summary>
public sealed class DaemonMetrics
{
    private const string Present = nameof(Present);
    private const string Failed = "failed";
    private const string Succeeded = "succeeded";

    /// <summary>Those that a daemon gives. Each is there from the start: Prometheus does not see the first of a series that begins with 1.</summary>
    private static readonly string[] Reasons =
    [
        PullPhase.Succeeded, Present, PullReason.Auth, PullReason.NotFound, PullReason.NoMatchingPlatform, PullReason.InvalidReference, PullReason.RateLimited,
        PullReason.RegistryUnavailable, PullReason.Timeout, PullReason.DeadlineExceeded, PullReason.InsufficientDisk, PullReason.RuntimeUnavailable, PullReason.Cancelled,
        PullReason.Unknown,
    ];

    private readonly Histogram _duration;
    private readonly Counter _pulls;
    private readonly Counter _bytes;
    private readonly Gauge _active;
    private readonly Gauge _waiting;
    private readonly Counter _attempts;
    private readonly Gauge _runtime;

    public DaemonMetrics(IMetricFactory factory)
    {
        _duration = factory.CreateHistogram(
            "kruise_image_pull_duration_seconds", "Time from the start of a pull to its end, all attempts together.", ["result"],
            new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.1, 2.5, 10) });
        _pulls = factory.CreateCounter(
            "kruise_image_pulls_total", "Entries that ended, by reason: Succeeded, Present (nothing was to be pulled), or why they failed.", ["reason"]);
        _bytes = factory.CreateCounter("kruise_image_pulled_bytes_total", "Size of the images that were pulled, as the runtime counts it.");
        _active = factory.CreateGauge("kruise_image_active_pulls", "Pulls that the runtime works on.");
        _waiting = factory.CreateGauge("kruise_image_waiting_pulls", "Entries that wait: for a slot, the runtime, or their next attempt.");
        _attempts = factory.CreateCounter("kruise_image_pull_attempts_total", "Pulls that the runtime was asked for: one entry may take several.");
        _runtime = factory.CreateGauge("kruise_image_runtime_available", "1 while the container runtime answers.");
        foreach (var reason in Reasons) _pulls.WithLabels(reason);
        foreach (var result in (string[])[Failed, Succeeded]) _duration.WithLabels(result);
    }

    public void Attempted() => _attempts.Inc();

    public void RuntimeAnswers(bool answers) => _runtime.Set(answers ? 1 : 0);

    public void Finished(Announce done)
    {
        var hasFailed = done.Status.Phase == PullPhase.Failed;
        _pulls.WithLabels(hasFailed ? done.Status.Reason ?? PullReason.Unknown : done.WasPresent ? Present : PullPhase.Succeeded).Inc();
        if (done.WasPresent) return;
        _duration.WithLabels(hasFailed ? Failed : Succeeded).Observe(done.Elapsed.TotalSeconds);
        _bytes.Inc(done.Bytes);
    }

    public void Observe(int activePulls, int waitingEntries)
    {
        _active.Set(activePulls);
        _waiting.Set(waitingEntries);
    }
}
