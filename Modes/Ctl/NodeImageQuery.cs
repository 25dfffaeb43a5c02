using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>Which NodeImages may hold an entry of a job, as narrow as the API can ask for it.</summary>
public static class NodeImageQuery
{
    public static ListQuery For(ImagePullJobTemplate spec)
    {
        if (spec.PodSelector is not null || spec.Selector is not { } selector) return new();
        // A field selector can name one object only; of several names the rest is left out when the entries are read.
        if (selector.Names is { Count: > 0 } names) return names is [var one] ? new() { FieldSelector = $"metadata.name={one}" } : new();
        return LabelSelector.TryCompile(selector.MatchLabels, selector.MatchExpressions, out var labels, out _) && !labels.MatchesEverything
            ? new() { LabelSelector = labels.ToString() }
            : new();
    }
}
