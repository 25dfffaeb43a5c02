using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>Whether a controller leads, and whether all that runs is of one version. Pure.</summary>
public static class ControllerChecks
{
    private const string LookAtLog = $"see its log: kubectl logs -n {ProductNames.Namespace} deployment/{ProductNames.Controller}";

    public static IEnumerable<Finding> Controller(DoctorFacts facts)
    {
        const string check = "controller";
        var leads = Leads(facts);
        if (facts.Controller.WhyNot is { } why) yield return Finding.NotChecked(check, why);
        else if (facts.Controller.Value is not { } deployment)
            yield return leads
                ? Finding.Warning(check, $"there is no Deployment {ProductNames.Controller}, though somebody leads: a controller runs elsewhere")
                : Finding.Problem(check, $"there is no Deployment {ProductNames.Controller}", "run `kruise-image ctl install`");
        else
        {
            var (wanted, available) = (deployment.Spec?.Replicas ?? 1, deployment.Status?.AvailableReplicas ?? 0);
            var trouble = (facts.Pods.Value ?? []).Where(pod => pod.Component == "controller").Select(pod => pod.Trouble).FirstOrDefault(trouble => trouble is not null);
            var told = trouble is null ? "" : $": {trouble}";
            if (wanted == 0)
                yield return Finding.Problem(check, "the controller is scaled to 0", $"kubectl scale deployment {ProductNames.Controller} -n {ProductNames.Namespace} --replicas 2");
            else if (available == 0) yield return Finding.Problem(check, $"none of {wanted} controllers is available{told}", LookAtLog);
            else if (available < wanted) yield return Finding.Warning(check, $"{available} of {wanted} controllers are available{told}", LookAtLog);
            else yield return Finding.Ok(check, $"{available} of {wanted} controllers are available");
        }

        if (facts.Lease.WhyNot is { } unread) yield return Finding.NotChecked(check, unread);
        else if (facts.Lease.Value is not { } lease || lease.Spec.RenewTime is not { } renewed)
            yield return Finding.Problem(check, "no controller leads, nor ever did: jobs are not looked at", LookAtLog);
        else if (string.IsNullOrEmpty(lease.Spec.HolderIdentity))
            yield return Finding.Problem(check, $"no controller leads: the last one handed the lease over {DurationText.Age(renewed, facts.ServerNow)} ago", LookAtLog);
        else
            yield return leads
                ? Finding.Ok(check, $"{lease.Spec.HolderIdentity} leads; it renewed the lease {DurationText.Age(renewed, facts.ServerNow)} ago")
                : Finding.Problem(check, $"no controller leads: {lease.Spec.HolderIdentity} renewed the lease {DurationText.Age(renewed, facts.ServerNow)} ago", LookAtLog);
    }

    public static IEnumerable<Finding> Versions(DoctorFacts facts)
    {
        const string check = "versions";
        var running = (facts.Pods.Value ?? []).SelectMany(pod => pod.Spec?.Containers ?? []).Select(container => container.Image ?? "").Where(image => image.Length > 0).ToList();
        if (running.Count == 0)
            running = [.. from workload in (Workload?[])[facts.Controller.Value, facts.Daemons.Value] from container in workload?.Containers ?? [] select container.Image ?? ""];
        if (running.Count == 0)
        {
            yield return Finding.NotChecked(check, facts.Pods.WhyNot ?? "no pod and no workload of ours names an image");
            yield break;
        }
        var images = running.GroupBy(image => image, StringComparer.Ordinal).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).ToList();
        if (images.Count > 1)
            yield return Finding.Warning(check, $"pods run from different images: {string.Join(", ", images.Select(image => $"{image.Key} ({image.Count()})"))}",
                $"a roll-out is under way, or stuck: kubectl rollout status -n {ProductNames.Namespace} daemonset/{ProductNames.Daemon}");
        var other = images.Select(image => image.Key).FirstOrDefault(image => VersionOf(image) is { } version && version != VersionOf($"x:{ProductVersion.Number}"));
        if (other is not null)
            yield return Finding.Warning(check, $"this ctl is {ProductVersion.Number}, and {other} runs", "use the ctl of the version that runs, or install this version");
        else if (images.Count == 1)
            yield return Finding.Ok(check, $"all run from {images[0].Key}, {(VersionOf(images[0].Key) is null ? "whose tag is no version to compare" : "the version of this ctl")}");
    }

    private static bool Leads(DoctorFacts facts) =>
        facts.Lease.Value?.Spec is { HolderIdentity.Length: > 0, RenewTime: { } renewed } spec
        && facts.ServerNow - renewed <= TimeSpan.FromSeconds(Math.Max(spec.LeaseDurationSeconds ?? 15, 1) + 2);

    /// <summary>Of a tag like "v1.2.3-rc1"; null when the tag is none.</summary>
    private static Version? VersionOf(string image) =>
        ImageReference.TryParse(image, out var reference, out _) && Version.TryParse((reference.Tag ?? "").TrimStart('v').Split('-', '_')[0], out var version) ? version : null;
}
