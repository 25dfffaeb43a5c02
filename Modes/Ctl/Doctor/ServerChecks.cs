namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>What the API server can do, whether its clock and ours agree, and what this person may do. Pure.</summary>
public static class ServerChecks
{
    private const int MinorWithRules = 25;
    private const int MinorWithPolicies = 30;
    private static readonly TimeSpan SmallSkew = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LargeSkew = TimeSpan.FromMinutes(5);

    public static IEnumerable<Finding> Server(DoctorFacts facts)
    {
        const string check = "server";
        if (facts.Server.Value is not { } server)
        {
            yield return Finding.NotChecked(check, facts.Server.WhyNot ?? "the API server does not tell its version");
            yield break;
        }
        yield return Finding.Ok(check, $"the API server is {server.Version}");
        if (server.Minor is not { } minor) yield break;
        if (minor < MinorWithRules)
            yield return Finding.Warning(check, $"an API server before 1.{MinorWithRules} knows no CEL rules: it takes invalid jobs, and the controller marks them Invalid",
                "nothing is broken; an upgrade of the cluster has them refused at once");
        if (minor < MinorWithPolicies)
            yield return Finding.Warning(check, $"an API server before 1.{MinorWithPolicies} has no ValidatingAdmissionPolicy: the token of one daemon may write the status of other nodes",
                "upgrade the cluster where nodes do not trust each other");
    }

    public static IEnumerable<Finding> Clocks(DoctorFacts facts)
    {
        const string check = "clocks";
        if (facts.Server.Value?.Date is not { } date)
        {
            yield return Finding.NotChecked(check, facts.Server.WhyNot ?? "the API server does not tell the time");
            yield break;
        }
        // The header has whole seconds, and the answer took some time.
        var skew = (date - facts.Now).Duration();
        if (skew > SmallSkew)
            yield return Finding.Warning(
                check, $"this machine's clock and the API server's differ by {DurationText.Short(skew)}: ages and durations here are wrong by that", "set the clock by NTP");
        if (facts.Lease.Value?.Spec.RenewTime is { } renewed && renewed - date > SmallSkew)
        {
            var ahead = renewed - date;
            var message = $"the controller's clock is {DurationText.Short(ahead)} ahead of the API server's";
            yield return ahead > LargeSkew ? Finding.Problem(check, message, "set the clock of its node by NTP") : Finding.Warning(check, message, "set the clock of its node by NTP");
        }
        var future = (facts.NodeImages.Value ?? []).Where(node => DaemonChecks.LastSign(node) - date > SmallSkew).Select(node => node.Metadata.Name!).ToList();
        if (future.Count > 0)
            yield return Finding.Warning(check, $"the clocks of {Names.Of(future, "node")} are ahead of the API server's", "set them by NTP");
        if (skew <= SmallSkew) yield return Finding.Ok(check, "this machine's clock and the API server's agree");
    }

    public static IEnumerable<Finding> Access(DoctorFacts facts)
    {
        const string check = "access";
        if (facts.Access.Count == 0 || facts.Access.Any(answer => answer.Answer.Value is null))
        {
            var why = facts.Access.Select(answer => answer.Answer.WhyNot).FirstOrDefault(why => why is not null);
            yield return Finding.NotChecked(check, why ?? "the API server does not tell what you may do");
            yield break;
        }
        var refused = facts.Access.Where(answer => answer.Answer.Value?.Status?.Allowed != true).Select(answer => answer.Deed).ToList();
        if (refused.Count == 0) yield return Finding.Ok(check, $"you may create, follow and delete jobs in namespace \"{facts.Namespace}\"");
        else
            yield return Finding.Warning(check, $"you may not {string.Join(", nor ", refused)}",
                "ask for the role \"edit\" in the namespace, and to read nodeimages in the cluster");
    }
}

/// <summary>Lists of names for a sentence, cut where a crowd would drown it.</summary>
public static class Names
{
    private const int Most = 5;

    /// <summary>"node-1", "3 nodes (node-1, node-2, node-3)", "70 nodes (node-1, …, node-5 and 65 more)".</summary>
    public static string Of(IReadOnlyCollection<string> names, string noun)
    {
        if (names.Count == 1) return $"{noun} {names.First()}";
        var more = names.Count > Most ? $" and {names.Count - Most} more" : "";
        return $"{names.Count} {noun}s ({string.Join(", ", names.Order(StringComparer.Ordinal).Take(Most))}{more})";
    }
}
