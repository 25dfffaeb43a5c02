using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl describe job": what the job asks for, how far it is, and why a node does not have the image.</summary>
public static class JobDescription
{
    /// <param name="nodes">NodeImages; those without an entry of the job are left out.</param>
    /// <param name="events">Events about the job, in any order.</param>
    public static Description Of(ImagePullJob job, IEnumerable<NodeImage> nodes, IEnumerable<Event> events, DateTimeOffset now)
    {
        var description = new Description();
        AddSpec(description, job, now);
        AddStatus(description, job, now);
        description.AddUnlessEmpty("Failures", Failures(job));
        description.AddUnlessEmpty("Digests", Digests(job));
        var entries = nodes.SelectMany(PullEntry.Of).Where(entry => entry.IsOwnedBy(job.Metadata.Uid));
        description.Add("Nodes", Entries(entries, now), NoEntries(job));
        description.AddUnlessEmpty("Conditions", Conditions(job.Status?.Conditions, now));
        description.Add("Events", EventTable.Of(events, now), "none");
        return description;
    }

    private static void AddSpec(Description description, ImagePullJob job, DateTimeOffset now)
    {
        description.Field("Name", job.Metadata.Name ?? "");
        description.Field("Namespace", job.Metadata.Namespace ?? "");
        description.Field("Image", job.Spec.Image ?? "");
        description.Field("Nodes", SpecWords.Nodes(job.Spec));
        description.Field("Parallelism", SpecWords.Parallelism(job.Spec));
        description.Field("Pull", SpecWords.PullPolicy(job.Spec));
        description.Field("Ends", SpecWords.Completion(job.Spec));
        if (job.Spec.PullSecrets is { Count: > 0 } secrets) description.Field("Pull secrets", string.Join(", ", secrets));
        if (job.Metadata.OwnerReferences is [{ } owner, ..]) description.Field("Made by", $"{owner.Kind} {owner.Name}");
        description.Field("Age", DurationText.Age(job.Metadata.CreationTimestamp, now));
    }

    private static void AddStatus(Description description, ImagePullJob job, DateTimeOffset now)
    {
        var message = JobState.MessageOf(job);
        var state = JobState.Show(job);
        description.Field("Status", state with { Text = message.Length > 0 ? $"{state.Text}: {message}" : state.Text });
        if (job.Status is not { } status) return;
        description.Field("Progress",
            $"{status.Succeeded} succeeded, {status.Active} active, {status.Failed} failed, {status.Waiting} waiting of {status.Desired}");
        if (status.StartTime is { } start)
            description.Field(status.CompletionTime is null ? "Running for" : "Took", DurationText.Short((status.CompletionTime ?? now) - start));
    }

    private static TableView Failures(ImagePullJob job)
    {
        var table = new TableView("REASON", "COUNT", "NODES", "MESSAGE");
        foreach (var failure in job.Status?.Failures ?? [])
            table.Add(new Cell(failure.Reason, Tone.Bad), failure.Count, NodesOf(failure), failure.Message ?? "");
        return table;
    }

    /// <summary>The names that the status holds, and how many more there are.</summary>
    public static string NodesOf(FailureGroup failure)
    {
        var named = failure.Nodes ?? [];
        var rest = failure.Count - named.Count;
        return string.Join(", ", named) + (rest > 0 && named.Count > 0 ? $" and {rest} more" : "");
    }

    private static TableView Digests(ImagePullJob job)
    {
        var table = new TableView("NODES", "IMAGE");
        foreach (var digest in job.Status?.Digests ?? []) table.Add(digest.Count, digest.ImageID);
        return table;
    }

    /// <summary>Those with trouble first, then those at work.</summary>
    private static TableView Entries(IEnumerable<PullEntry> entries, DateTimeOffset now)
    {
        var table = new TableView("NODE", "PHASE", "PROGRESS", "BYTES", "TOOK", "REASON", "MESSAGE") { DropWhenNarrow = ["BYTES", "TOOK"] };
        foreach (var entry in entries.OrderBy(entry => Rank(entry.Phase)).ThenBy(entry => entry.Node, StringComparer.Ordinal))
        {
            table.Add(
                entry.Node, new Cell(entry.Phase, PullEntry.ToneOf(entry.Phase)), entry.Percent, entry.Bytes,
                entry.Duration(now) is { } took ? DurationText.Short(took) : "", entry.Answer?.Reason ?? "", entry.Words(now));
        }
        return table;
    }

    private static int Rank(string phase) => phase switch
    {
        PullPhase.Failed => 0,
        PullPhase.Pulling => 1,
        PullPhase.Waiting => 2,
        _ => 3,
    };

    private static string NoEntries(ImagePullJob job) => JobState.IsOver(JobState.Of(job))
        ? "no NodeImage holds an entry of this job any more"
        : "no NodeImage holds an entry of this job yet";

    public static TableView Conditions(List<Condition>? conditions, DateTimeOffset now)
    {
        var table = new TableView("TYPE", "STATUS", "REASON", "AGE", "MESSAGE");
        foreach (var condition in conditions ?? [])
        {
            var age = DurationText.Age(condition.LastTransitionTime, now);
            table.Add(condition.Type, condition.Status, condition.Reason ?? "", age, condition.Message ?? "");
        }
        return table;
    }
}
