using KruiseImage.Crds;

namespace KruiseImage.Reconcile.NodeImages;

/// <summary>
/// Makes one NodeImage agree with its Node and with the jobs that claim it, in one write. Departure from OpenKruise: the write is
/// a JSON Patch that tests uid and generation, so that neither a person's edit nor a field we do not know can be lost, while
/// the daemon's status writes, which do not raise the generation, never make it a conflict. Pure.
/// </summary>
public static class NodeImagePlanner
{
    public static Plan Plan(NodeImageView view, DateTimeOffset now) => (view.Node, view.NodeImage) switch
    {
        (_, { Metadata.Labels: { } labels }) when labels.ContainsKey(Defaults.FakeNodeImageLabel) => Reconcile.Plan.Nothing("a fake NodeImage is left alone"),
        (_, { Metadata.DeletionTimestamp: not null }) => Reconcile.Plan.Nothing("the NodeImage is being deleted"),
        (null, { } orphan) => new Plan([new DeleteNodeImage(view.Name, orphan.Metadata.Uid!)], null, "its Node is gone"),
        ({ } node, null) => new Plan([new CreateNodeImage(Compose(node, view, now))], null, "its Node is new"),
        ({ } node, { } nodeImage) => Amend(node, nodeImage, view, now),
        _ => Reconcile.Plan.Nothing("there is no such Node"),
    };

    private static NodeImage Compose(Node node, NodeImageView view, DateTimeOffset now)
    {
        var entries = new EntryPlanner(null, view, now);
        return new NodeImage
        {
            ApiVersion = Defaults.ApiVersion,
            Kind = nameof(NodeImage),
            Metadata = new ObjectMeta { Name = view.Name, Labels = node.Metadata.Labels, OwnerReferences = [OwnerOf(node)] },
            Spec = new NodeImageSpec { Images = entries.NewImages() },
        };
    }

    private static Plan Amend(Node node, NodeImage nodeImage, NodeImageView view, DateTimeOffset now)
    {
        using var patch = new JsonPatch();
        patch.Test("/metadata/uid", nodeImage.Metadata.Uid!);
        patch.Test("/metadata/generation", nodeImage.Metadata.Generation ?? 0);
        AmendLabels(patch, node.Metadata.Labels ?? [], nodeImage.Metadata.Labels);
        AmendOwner(patch, node, nodeImage.Metadata.OwnerReferences);
        var entries = new EntryPlanner(nodeImage, view, now);
        entries.Amend(patch);
        var why = entries.NextExpiry is { } next ? $"an entry expires at {now + next:u}" : "up to date";
        return patch.Changes == 0 ? Reconcile.Plan.Nothing(why, entries.NextExpiry) : new Plan([new PatchNodeImage(view.Name, patch.ToUtf8())], entries.NextExpiry, why);
    }

    private static void AmendLabels(JsonPatch patch, Dictionary<string, string> wanted, Dictionary<string, string>? present)
    {
        if (present is null)
        {
            if (wanted.Count > 0) patch.Add("/metadata/labels", wanted, CrdJson.Default.DictionaryStringString);
            return;
        }

        foreach (var key in present.Keys)
            if (!wanted.ContainsKey(key)) patch.Remove($"/metadata/labels/{JsonPatch.Escape(key)}");
        foreach (var (key, value) in wanted)
            if (!present.TryGetValue(key, out var known) || known != value) patch.Add($"/metadata/labels/{JsonPatch.Escape(key)}", value, CrdJson.Default.String);
    }

    /// <summary>So that the cluster's garbage collection removes it too. A Node that was replaced under its name has another uid.</summary>
    private static void AmendOwner(JsonPatch patch, Node node, List<OwnerReference>? owners)
    {
        var wanted = OwnerOf(node);
        var index = owners?.FindIndex(owner => owner.Kind == wanted.Kind && owner.Name == wanted.Name) ?? -1;
        if (owners is null or []) patch.Add("/metadata/ownerReferences", [wanted], CrdJson.Default.ListOwnerReference);
        else if (index < 0) patch.Add("/metadata/ownerReferences/-", wanted, CrdJson.Default.OwnerReference);
        else if (owners[index].Uid != wanted.Uid) patch.Add($"/metadata/ownerReferences/{index}/uid", wanted.Uid!, CrdJson.Default.String);
    }

    private static OwnerReference OwnerOf(Node node) => new() { ApiVersion = "v1", Kind = nameof(Node), Name = node.Metadata.Name, Uid = node.Metadata.Uid };
}
