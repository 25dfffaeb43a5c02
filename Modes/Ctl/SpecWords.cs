using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>A job's spec as sentences, defaults included: what will happen, not what was written.</summary>
public static class SpecWords
{
    /// <summary>More nodes than these are counted, not named.</summary>
    private const int MaxNames = 10;

    public static string Nodes(ImagePullJobTemplate spec)
    {
        if (spec.PodSelector is { } pods)
            return LabelSelector.TryCompile(pods, out var ofPods, out var wrong) ? $"those of pods with labels {ofPods} in this namespace" : wrong;
        if (spec.Selector is not { } selector) return "all";
        if (selector.Names is { Count: > 0 } names)
            return string.Join(", ", names.Take(MaxNames)) + (names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : "");
        if (!LabelSelector.TryCompile(selector.MatchLabels, selector.MatchExpressions, out var labels, out var error)) return error;
        return labels.MatchesEverything ? "all" : $"with labels {labels}";
    }

    public static string Parallelism(ImagePullJobTemplate spec)
    {
        var parallelism = spec.Parallelism ?? Defaults.Parallelism;
        return parallelism.ToString() switch
        {
            "0" => "0 nodes at a time: paused",
            "1" => "1 node at a time",
            var share when share.EndsWith('%') => $"{share} of the nodes at a time",
            var count => $"{count} nodes at a time",
        };
    }

    public static string PullPolicy(ImagePullJobTemplate spec)
    {
        var attempts = Defaults.Backoff(spec.PullPolicy?.BackoffLimit) + 1;
        var timeout = Seconds((long)Defaults.Timeout(spec.PullPolicy?.TimeoutSeconds).TotalSeconds);
        var when = Defaults.PullsAlways(spec.ImagePullPolicy) ? "always" : "if not present";
        return $"{when}; {attempts} {(attempts == 1 ? "attempt" : "attempts")} of at most {timeout}";
    }

    public static string Completion(ImagePullJobTemplate spec)
    {
        if (Defaults.CompletesNever(spec.CompletionPolicy)) return "never; each node pulls again every day";
        var end = "when every node succeeded or failed";
        if (spec.CompletionPolicy?.ActiveDeadlineSeconds is { } deadline) end += $", or {Seconds(deadline)} after its start";
        if (spec.CompletionPolicy?.TtlSecondsAfterFinished is { } ttl) end += $"; deleted {Seconds(ttl)} later";
        return end;
    }

    private static string Seconds(long seconds) => seconds % 60 == 0 && seconds > 0
        ? DurationText.Short(TimeSpan.FromSeconds(seconds))
        : string.Create(CultureInfo.InvariantCulture, $"{seconds}s");
}
