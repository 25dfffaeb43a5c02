using System.Text.Json;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>Whether what "ctl install" applies is there and as this version has it, and whether OpenKruise is in the way. Pure.</summary>
public static class InstallationChecks
{
    private const string Install = "run `kruise-image ctl install` with the image that runs: it changes only what differs";
    private const string Migrating = "see docs/migrating-from-openkruise.md";
    private static readonly string[] OurKinds = ["imagepulljob", "imagelistpulljob", "nodeimage"];

    public static IEnumerable<Finding> Crds(DoctorFacts facts)
    {
        const string check = "crds";
        var findings = new List<Finding>();
        // A server without rules drops them from what it stores.
        string[] dropped = facts.Server.Value?.Minor < 25 ? ["x-kubernetes-validations"] : [];
        foreach (var (ours, theirs) in facts.Crds)
        {
            if (theirs.WhyNot is { } why) findings.Add(Finding.NotChecked(check, why));
            else if (theirs.Value is not { } crd) findings.Add(Finding.Problem(check, $"the CRD {ours.Name} is missing: the cluster does not know its kind", Install));
            else findings.AddRange(Crd(check, ours, crd.Json, dropped));
        }
        return findings.Count > 0 ? findings.Distinct() : [Finding.Ok(check, $"{facts.Crds.Count} CRDs are served, as this version has them")];
    }

    private static IEnumerable<Finding> Crd(string check, OurObject ours, JsonElement crd, string[] dropped)
    {
        if (crd.Text("spec", "conversion", "strategy") == "Webhook")
            yield return Finding.Problem(check, $"the CRD {ours.Name} still names a conversion webhook: when that is away, its objects cannot be read", $"{Migrating}, step 4");
        var conditions = crd.Items("status", "conditions").ToList();
        if (!conditions.Exists(condition => Is(condition, "Established", "True")))
        {
            var complaint = conditions.Find(condition => Is(condition, "NamesAccepted", "False") || Is(condition, "NonStructuralSchema", "True"));
            var told = complaint.ValueKind == JsonValueKind.Object && complaint.TryGetProperty("message", out var message) ? $": {message.GetString()}" : "";
            yield return Finding.Problem(check, $"the CRD {ours.Name} is not served{told}", $"look at its conditions: kubectl describe crd {ours.Name}");
        }
        // The webhook itself is told above.
        if (ours.DifferenceTo(crd, "spec", "schema", dropped) is { } difference && !difference.StartsWith("spec.conversion", StringComparison.Ordinal))
            yield return Finding.Warning(check, $"the CRD {ours.Name} is not as this version has it, first at {difference}", Install);
    }

    public static IEnumerable<Finding> Rbac(DoctorFacts facts)
    {
        const string check = "rbac";
        var findings = new List<Finding>();
        foreach (var (ours, theirs) in facts.Rbac)
        {
            if (theirs.WhyNot is { } why) findings.Add(Finding.NotChecked(check, why));
            else if (theirs.Value is not { } installed) findings.Add(Finding.Problem(check, $"{ours} is missing", Install));
            else if (RoleDifference(ours, installed.Json) is { } difference)
                findings.Add(Finding.Problem(check, $"{ours} is not as this version needs it, first at {difference}", Install));
        }
        return findings.Count > 0 ? findings.Distinct() : [Finding.Ok(check, $"{facts.Rbac.Count} accounts, roles and bindings are as this version has them")];
    }

    /// <summary>Subjects have their API group filled in by the server.</summary>
    private static string? RoleDifference(OurObject ours, JsonElement theirs) =>
        ours.DifferenceTo(theirs, "rules", "rules") ?? ours.DifferenceTo(theirs, "roleRef", "roleRef") ?? ours.DifferenceTo(theirs, "subjects", "");

    public static IEnumerable<Finding> Policies(DoctorFacts facts)
    {
        const string check = "policies";
        if (facts.Server.Value?.Minor < 30) yield break; // told already
        var missing = facts.Policies.Where(policy => policy.Theirs.IsMissing).Select(policy => policy.Ours.ToString()).ToList();
        if (facts.Policies.FirstOrDefault(policy => policy.Theirs.WhyNot is not null)?.Theirs.WhyNot is { } why) yield return Finding.NotChecked(check, why);
        else if (missing.Count > 0)
            yield return Finding.Warning(check, $"{string.Join(", ", missing)} missing: the token of one daemon may write the status of other nodes", Install);
        else yield return Finding.Ok(check, "daemons are bound to the NodeImage of their own node");
    }

    public static IEnumerable<Finding> OpenKruise(DoctorFacts facts)
    {
        const string check = "openkruise";
        var (manager, daemon, webhooks) = (facts.OpenKruise.Manager, facts.OpenKruise.Daemon, facts.OpenKruise.Webhooks);
        var unread = manager.WhyNot ?? daemon.WhyNot ?? webhooks.FirstOrDefault(webhook => webhook.WhyNot is not null).WhyNot;
        if (unread is not null) yield return Finding.NotChecked(check, unread);
        var isOff = manager.Value?.Containers.Any(container => container.Args?.Exists(arg => arg.Contains("KruiseDaemon=false", StringComparison.Ordinal)) ?? false) ?? false;
        if (manager.Value is not null && !isOff)
            yield return Finding.Problem(
                check, "OpenKruise's kruise-controller-manager runs with image pulling on: it and our controller write the same objects",
                $"set its feature gate KruiseDaemon=false; {Migrating}, step 2");
        if (daemon.Value is not null)
            yield return Finding.Problem(check, "OpenKruise's DaemonSet kruise-daemon is there: it and our daemons write the same status", $"delete it; {Migrating}, step 2");
        var inTheWay = webhooks.Where(webhook => webhook.Value is { } configuration && ConcernsUs(configuration.Json)).Select(webhook => webhook.Value!.Metadata.Name!).ToList();
        if (inTheWay.Count > 0)
            yield return Finding.Problem(
                check, $"{string.Join(" and ", inTheWay)} still decide about our kinds: with OpenKruise's manager away every write is refused",
                $"take these kinds off; {Migrating}, step 3");
        if (unread is null && (manager.Value is null || isOff) && daemon.Value is null && inTheWay.Count == 0)
            yield return Finding.Ok(check, manager.Value is null ? "OpenKruise is not here" : "OpenKruise is here with its image pulling off");
    }

    private static bool ConcernsUs(JsonElement configuration) => configuration.Items("webhooks").Any(webhook =>
        webhook.Text("name") is { } name && OurKinds.Any(kind => name.Contains(kind, StringComparison.Ordinal)));

    private static bool Is(JsonElement condition, string type, string status) => condition.Text("type") == type && condition.Text("status") == status;
}
