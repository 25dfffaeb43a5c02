using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl describe list": what the list asks for, how far each of its images is, and which failed.</summary>
public static class ListDescription
{
    /// <param name="jobs">Jobs of the namespace; those that are not the list's are left out.</param>
    /// <param name="events">Events about the list, in any order.</param>
    public static Description Of(ImageListPullJob list, IEnumerable<ImagePullJob> jobs, IEnumerable<Event> events, DateTimeOffset now)
    {
        var description = new Description();
        var spec = new ImagePullJobSpec(list.Spec);
        var status = list.Status ?? new();
        description.Field("Name", list.Metadata.Name ?? "");
        description.Field("Namespace", list.Metadata.Namespace ?? "");
        description.Field("Images", list.Spec.Images?.Count ?? 0);
        description.Field("Nodes", SpecWords.Nodes(spec));
        description.Field("Parallelism", $"{SpecWords.Parallelism(spec)}, for each image");
        description.Field("Pull", SpecWords.PullPolicy(spec));
        description.Field("Ends", SpecWords.Completion(spec));
        if (list.Spec.PullSecrets is { Count: > 0 } secrets) description.Field("Pull secrets", string.Join(", ", secrets));
        description.Field("Age", DurationText.Age(list.Metadata.CreationTimestamp, now));
        description.Field("Status", State(list));
        if (list.Status is not null)
            description.Field("Progress", $"{status.Succeeded} images succeeded, {status.Active} active, {status.Completed - status.Succeeded} failed of {status.Desired}");
        if (status.StartTime is { } start)
            description.Field(status.CompletionTime is null ? "Running for" : "Took", DurationText.Short((status.CompletionTime ?? now) - start));
        description.AddUnlessEmpty("Failures", Failures(status));
        description.Add("Jobs", Jobs(list, jobs, now), "none");
        description.AddUnlessEmpty("Conditions", JobDescription.Conditions(status.Conditions, now));
        description.Add("Events", EventTable.Of(events, now), "none");
        return description;
    }

    public static bool Owns(ImageListPullJob list, ImagePullJob job) =>
        list.Metadata.Uid is { } uid && (job.Metadata.OwnerReferences?.Exists(owner => owner.Uid == uid) ?? false);

    private static Cell State(ImageListPullJob list)
    {
        if (list.Status is null || list.Status.ObservedGeneration < list.Metadata.Generation) return new("Pending: no controller has looked at it yet", Tone.Faint);
        var told = list.Status.Conditions?.Find(condition => condition.Status == "True");
        return told switch
        {
            null => new("Pulling", Tone.Busy),
            { Type: JobCondition.Complete } => new($"Complete: {told.Message}", Tone.Good),
            { Type: JobCondition.Suspended } => new($"Paused: {told.Message}", Tone.Faint),
            _ => new($"{told.Type}: {told.Message}", Tone.Bad),
        };
    }

    private static TableView Failures(ImageListPullJobStatus status)
    {
        var table = new TableView("IMAGE", "JOB", "MESSAGE");
        foreach (var failure in status.FailedImageStatuses ?? []) table.Add(new Cell(failure.Name ?? "", Tone.Bad), failure.ImagePullJob ?? "", failure.Message ?? "");
        return table;
    }

    /// <summary>A line for each image, in the order of the list; then jobs of images that the list has no more.</summary>
    private static TableView Jobs(ImageListPullJob list, IEnumerable<ImagePullJob> jobs, DateTimeOffset now)
    {
        var mine = jobs.Where(job => Owns(list, job)).OrderBy(job => job.Metadata.CreationTimestamp).ToLookup(job => job.Spec.Image ?? "", StringComparer.Ordinal);
        var table = new TableView("IMAGE", "JOB", "STATUS", "SUCCEEDED", "FAILED", "OF", "AGE", "MESSAGE") { DropWhenNarrow = ["MESSAGE", "AGE"] };
        foreach (var image in (list.Spec.Images ?? []).Union(mine.Select(group => group.Key), StringComparer.Ordinal))
        {
            if (!mine.Contains(image)) table.Add(image, "", new Cell("not made yet", Tone.Faint), "", "", "", "", "");
            foreach (var job in mine[image])
            {
                var status = job.Status ?? new();
                table.Add(
                    image, job.Metadata.Name ?? "", JobState.Show(job), Cell.Count(status.Succeeded, Tone.Good), Cell.Count(status.Failed, Tone.Bad), status.Desired,
                    DurationText.Age(job.Metadata.CreationTimestamp, now), JobState.MessageOf(job));
            }
        }
        return table;
    }
}
