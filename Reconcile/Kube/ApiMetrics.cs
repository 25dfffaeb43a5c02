using Prometheus;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// What every client of the API server counts: its requests, and the watches that keep its stores current. Called by
/// <see cref="KubeClient"/> and <see cref="Reflector{T}"/>. No label may name an object.
/// </summary>
public static class ApiMetrics
{
    private static readonly Counter Requests = Metrics.CreateCounter(
        "kruise_image_api_requests_total", "Requests to the API server, by how it answered: ok, or how it said no.", ["verb", "result"]);

    private static readonly Gauge Wanted = Metrics.CreateGauge("kruise_image_watches_wanted", "Watches that should be open.", ["resource"]);
    private static readonly Gauge Open = Metrics.CreateGauge("kruise_image_watches_open", "Watches that are open.", ["resource"]);

    private static readonly Counter Failures = Metrics.CreateCounter(
        "kruise_image_watch_failures_total", "Lists and watches that failed and were tried again.", ["resource"]);

    public static void CountRequest(string verb, ApiError answer) => Requests.WithLabels(verb, Name(answer)).Inc();

    public static WatchGauges Of(string resource) => new(Wanted.WithLabels(resource), Open.WithLabels(resource), Failures.WithLabels(resource));

    private static string Name(ApiError answer) => answer switch
    {
        ApiError.None => "ok",
        ApiError.NotFound => "not_found",
        ApiError.AlreadyExists => "already_exists",
        ApiError.Conflict => "conflict",
        ApiError.Gone => "gone",
        ApiError.Invalid => "invalid",
        ApiError.Unauthorized => "unauthorized",
        ApiError.Forbidden => "forbidden",
        ApiError.TooManyRequests => "too_many_requests",
        ApiError.Unavailable => "unavailable",
        ApiError.Unreadable => "unreadable",
        ApiError.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(answer), answer, null),
    };
}

/// <summary>Those of one reflector; several may follow the same resource.</summary>
public sealed record WatchGauges(Gauge.Child Wanted, Gauge.Child Open, Counter.Child Failures);
