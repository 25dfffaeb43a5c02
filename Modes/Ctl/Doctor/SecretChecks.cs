using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>Whether the pull secrets of unfinished jobs are there, can be read as credentials and have reached the daemons. Pure.</summary>
public static class SecretChecks
{
    private const string Guide = "see docs/private-registries.md";

    public static IEnumerable<Finding> PullSecrets(DoctorFacts facts)
    {
        const string check = "pull-secrets";
        if (facts.Jobs.Value is not { } jobs)
        {
            yield return Finding.NotChecked(check, facts.Jobs.WhyNot ?? "the cluster does not know ImagePullJobs");
            yield break;
        }
        var findings = facts.Secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal).SelectMany(secret => Secret(check, secret.Key, secret.Value)).Distinct()
            .Concat(Refused(check, jobs)).ToList();
        foreach (var finding in findings) yield return finding;
        if (findings.Count == 0)
            yield return Finding.Ok(check, facts.Secrets.Count == 0
                ? "no unfinished job names a pull secret"
                : $"all pull secrets of unfinished jobs ({facts.Secrets.Count}) are there and copied for the daemons");
    }

    private static IEnumerable<Finding> Secret(string check, string key, SecretFact fact)
    {
        var jobs = Names.Of(fact.Jobs, "job");
        var (place, name) = (key.Split('/')[0], key.Split('/')[1]);
        if (fact.Source.WhyNot is { } why)
        {
            yield return Finding.NotChecked(check, why);
            yield break;
        }
        if (fact.Source.Value is not { } source)
        {
            yield return Finding.Problem(check, $"the pull secret \"{name}\" of {jobs} does not exist in namespace \"{place}\"",
                $"kubectl create secret docker-registry {name} -n {place} --docker-server=… --docker-username=… --docker-password=…");
            yield break;
        }
        var read = DockerConfig.Read(source);
        var problems = string.Join("; ", read.Problems);
        if (read.Credentials.Count == 0)
            yield return Finding.Problem(check, $"the pull secret \"{name}\" of {jobs} in namespace \"{place}\" (type {source.Type}) holds no credential: {problems}", Guide);
        else if (problems.Length > 0)
            yield return Finding.Warning(check, $"a part of the pull secret \"{name}\" in namespace \"{place}\" is not used: {problems}", Guide);
        if (fact.Copy.WhyNot is { } unread) yield return Finding.NotChecked(check, unread);
        else if (fact.Copy.IsMissing && read.Credentials.Count > 0)
            yield return Finding.Problem(
                check, $"the pull secret \"{name}\" of {jobs} in namespace \"{place}\" has not been copied for the daemons",
                "the controller does that: see whether one leads, and its log");
    }

    private static IEnumerable<Finding> Refused(string check, IReadOnlyList<ImagePullJob> jobs) =>
        from job in jobs
        from failure in job.Status?.Failures ?? []
        where failure.Reason == PullReason.Auth
        group (job, failure) by failure.Message into alike
        let names = alike.Select(pair => $"{pair.job.Metadata.Namespace}/{pair.job.Metadata.Name}").ToList()
        select Finding.Warning(check, $"the registry let no node in for {Names.Of(names, "job")}: {alike.Key}", $"name a pull secret in the job, or correct its password; {Guide}");
}
