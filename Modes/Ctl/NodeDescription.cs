using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl describe node": every image that a node was asked for, for whom, and what became of it.</summary>
public static class NodeDescription
{
    public static Description Of(NodeImage node, IEnumerable<Event> events, DateTimeOffset now)
    {
        var description = new Description();
        var status = node.Status ?? new();
        description.Field("Name", node.Metadata.Name ?? "");
        description.Field("Age", DurationText.Age(node.Metadata.CreationTimestamp, now));
        if (node.Metadata.Labels?.ContainsKey(Defaults.FakeNodeImageLabel) ?? false)
            description.Field("Node", "none: labelled as a fake NodeImage");
        description.Field("Progress",
            $"{status.Succeeded} succeeded, {status.Pulling} pulling, {status.Failed} failed, {status.Waiting} waiting of {status.Desired}");
        if (status.FirstSyncStatus is { } sync) description.Field("First sync", $"{sync.Status} {sync.Message}".Trim());
        description.Add("Images", Entries(node, now), "none wanted at the moment");
        description.Add("Events", EventTable.Of(events, now), "none");
        return description;
    }

    private static TableView Entries(NodeImage node, DateTimeOffset now)
    {
        var table = new TableView("IMAGE", "PHASE", "PROGRESS", "BYTES", "TOOK", "OWNERS", "REASON", "MESSAGE") { DropWhenNarrow = ["BYTES", "TOOK"] };
        foreach (var entry in PullEntry.Of(node))
        {
            table.Add(
                entry.Reference, new Cell(entry.Phase, PullEntry.ToneOf(entry.Phase)), entry.Percent, entry.Bytes,
                entry.Duration(now) is { } took ? DurationText.Short(took) : "", Owners(entry),
                entry.Answer?.Reason ?? "", entry.Words(now));
        }
        return table;
    }

    /// <summary>An entry without owners was written by a person.</summary>
    private static string Owners(PullEntry entry) => string.Join(", ", (entry.Spec.OwnerReferences ?? []).Select(owner =>
        owner.Kind == CtlKinds.Jobs.Kind ? $"{owner.Namespace}/{owner.Name}" : $"{owner.Kind} {owner.Name}"));
}
