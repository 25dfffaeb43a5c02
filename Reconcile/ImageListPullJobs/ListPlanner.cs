using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImageListPullJobs;

/// <summary>
/// Decides what happens next to one list: which children are made and which deleted, what the status says, when the list ends and
/// when it is deleted. Pure: the same view and time give the same plan. Never touches a job that the list does not control, nor
/// the children of a list that is being deleted: whether they go or stay (--cascade=orphan) is for the garbage collection.
/// </summary>
public static class ListPlanner
{
    public static Plan Plan(ListView view, DateTimeOffset now)
    {
        var list = view.List;
        if (list.Metadata.DeletionTimestamp is not null) return Reconcile.Plan.Nothing("the list is being deleted");
        if (list.Status?.CompletionTime is { } completed) return TtlAfterFinished.Plan(list.Spec.CompletionPolicy, completed, Delete(list), "the list", now);
        if (Validation.ImageListPullJob(list.Spec) is { } sentence) return Invalid(view, sentence, now);

        var actions = new List<PlanAction>();
        var children = Follow(view, actions);
        var startTime = list.Status?.StartTime ?? now;
        if (children.TrueForAll(ListStatusWriter.IsFinished) && !Defaults.CompletesNever(list.Spec.CompletionPolicy))
        {
            var end = Finish(list, children, startTime, now);
            return end with { Actions = [.. actions, .. end.Actions] }; // after its end nothing is deleted any more
        }

        // The status first: when a job is refused (a quota, somebody's webhook) the list shows at least what it wants.
        var report = Report(view, ListStatusWriter.Running(list, children, startTime, now), now);
        return report with { Actions = [.. report.Actions, .. actions] };
    }

    /// <summary>
    /// Brings the children to one for each image. A new child comes before the one it replaces goes, so that it joins the pulls
    /// under way instead of starting them afresh; image by image, so that a quota needs room for one more only.
    /// </summary>
    /// <returns>The child of each image, those included that are to be made.</returns>
    private static List<ImagePullJob> Follow(ListView view, List<PlanAction> actions)
    {
        var template = new ChildTemplate(view.List);
        var images = view.List.Spec.Images!;
        // One that is being deleted is as good as gone, but for its name.
        var present = view.Children.Where(child => child.Metadata.DeletionTimestamp is null)
            .OrderBy(child => child.Metadata.CreationTimestamp).ThenBy(child => child.Metadata.Name, StringComparer.Ordinal)
            .ToLookup(child => child.Spec.Image ?? "", StringComparer.Ordinal);
        var wanted = images.ToHashSet(StringComparer.Ordinal);
        foreach (var removed in present.Where(image => !wanted.Contains(image.Key))) actions.AddRange(removed.Select(Delete));

        var made = new HashSet<string>(StringComparer.Ordinal);
        var children = new List<ImagePullJob>(images.Count);
        foreach (var image in images)
        {
            var child = present[image].FirstOrDefault(template.IsOf);
            if (child is null)
            {
                child = template.Make(image, name => made.Contains(name) || view.IsTaken(name));
                made.Add(child.Metadata.Name!);
                actions.Add(new CreateJob(child, ReferenceTo(view.List)));
            }

            children.Add(child);
            actions.AddRange(present[image].Where(other => !ReferenceEquals(other, child)).Select(Delete));
        }

        return children;
    }

    private static Plan Finish(ImageListPullJob list, IReadOnlyList<ImagePullJob> children, DateTimeOffset startTime, DateTimeOffset now)
    {
        var status = ListStatusWriter.Finished(list, children, startTime, now);
        var failed = status.Succeeded < status.Desired;
        var message = status.Conditions!.Find(condition => condition.Status == "True")!.Message!;
        return new Plan([Write(list, status), new RecordEvent(ReferenceTo(list), failed, failed ? "JobFailed" : "JobCompleted", message)], null, message);
    }

    /// <summary>The children stay as they are: the last valid spec was meant, and the next one may want them.</summary>
    private static Plan Invalid(ListView view, string sentence, DateTimeOffset now)
    {
        var report = Report(view, ListStatusWriter.Invalid(view.List, sentence, now), now);
        if (report.Actions.Count == 0 || JobConditions.Say(view.List.Status?.Conditions, JobCondition.Invalid, sentence)) return report;
        return report with { Actions = [.. report.Actions, new RecordEvent(ReferenceTo(view.List), true, "InvalidSpec", sentence)] };
    }

    private static Plan Report(ListView view, ImageListPullJobStatus status, DateTimeOffset now) => StatusReport.Plan(
        view.List.Status, view.Written, status, CrdJson.Default.ImageListPullJobStatus, Write(view.List, status), $"{status.Completed} of {status.Desired} jobs are over", now);

    private static PatchListStatus Write(ImageListPullJob list, ImageListPullJobStatus status) =>
        new(list.Metadata.Namespace!, list.Metadata.Name!, list.Metadata.ResourceVersion!, status);

    private static DeleteList Delete(ImageListPullJob list) => new(list.Metadata.Namespace!, list.Metadata.Name!, list.Metadata.Uid!);

    private static DeleteJob Delete(ImagePullJob child) => new(child.Metadata.Namespace!, child.Metadata.Name!, child.Metadata.Uid!);

    private static ObjectReference ReferenceTo(ImageListPullJob list) => new()
    {
        ApiVersion = Defaults.ApiVersion,
        Kind = nameof(ImageListPullJob),
        Namespace = list.Metadata.Namespace,
        Name = list.Metadata.Name,
        Uid = list.Metadata.Uid,
    };
}
