namespace KruiseImage.Modes.Ctl.Images;

/// <summary>A dry run in words and tables: where each job would pull, what each image is, what each node would fetch and whether it fits.</summary>
public static class DryRunReport
{
    private const int MaxNames = 10;

    /// <param name="maxNodes">More are counted, not listed.</param>
    public static void Write(
        Terminal terminal, IReadOnlyList<(PullDraft Draft, IReadOnlyList<DryRunNode>? Nodes)> targets, DryRun run, Func<string, DiskRoom> room, IReadOnlyList<string> notes, int maxNodes)
    {
        foreach (var (draft, nodes) in targets) terminal.Say(Target(draft, nodes));
        terminal.Output.WriteLine();
        terminal.Write(Images(run));
        var rows = run.NodeRows(room).ToList();
        if (rows.Count > 0)
        {
            terminal.Output.WriteLine();
            terminal.Write(Nodes(rows.Take(maxNodes)));
            if (rows.Count > maxNodes) terminal.Say($"and {rows.Count - maxNodes} more {(rows.Count - maxNodes == 1 ? "node" : "nodes")}{Fitting(rows.Skip(maxNodes))}");
            terminal.Output.WriteLine();
            var unknown = run.Images.Any(image => image.Sizes.Count == 0 && image.Have < image.Nodes);
            terminal.Say($"to fetch on all nodes together: at most {ByteText.Of(run.TotalBytes)}{(unknown ? ", and what is not known" : "")}");
            if (rows.Exists(row => row.Fits == "perhaps")) terminal.Say("perhaps: the download fits, but unpacked an image takes several times as much");
        }
        foreach (var note in notes) terminal.Note($"note: {note}");
        terminal.Note("nothing was created: this was a dry run");
    }

    private static string Target(PullDraft draft, IReadOnlyList<DryRunNode>? nodes)
    {
        var what = $"{(draft.Job is null ? CtlKinds.Lists.Noun : CtlKinds.Jobs.Noun)} {draft.Metadata.Namespace}/{draft.Metadata.Name ?? $"{draft.Metadata.GenerateName}…"}";
        var images = draft.Images is [var one] ? one : $"{draft.Images.Count} images";
        var where = nodes is null ? $"nodes that are not known: {SpecWords.Nodes(draft.Template)}"
            : nodes.Count == 0 ? $"no node: none is {SpecWords.Nodes(draft.Template)}"
            : $"{(nodes.Count == 1 ? "1 node" : $"{nodes.Count} nodes")}: {Names(nodes)}";
        return $"{what} would pull {images} onto {where}; {SpecWords.Parallelism(draft.Template)}";
    }

    private static string Names(IReadOnlyList<DryRunNode> nodes) =>
        string.Join(", ", nodes.Select(node => node.Name).Order(StringComparer.Ordinal).Take(MaxNames)) + (nodes.Count > MaxNames ? $" and {nodes.Count - MaxNames} more" : "");

    private static TableView Images(DryRun run)
    {
        var table = new TableView("IMAGE", "NODES", "HAVE IT", "NOT KNOWN", "SIZE", "TO FETCH", "NOTE") { DropWhenNarrow = ["NOT KNOWN"] };
        foreach (var image in run.Images)
        {
            var size = image.Sizes.Count switch { 0 => "", 1 => ByteText.Of(image.Sizes[0]), _ => $"{ByteText.Of(image.Sizes[0])} to {ByteText.Of(image.Sizes[^1])}" };
            var note = new Cell(image.Note, image.Note.StartsWith("there", StringComparison.Ordinal) ? Tone.Bad : Tone.Plain);
            if (image.Nodes is not { } nodes) table.Add(image.Image, "", "", "", size, "", note);
            else table.Add(image.Image, nodes, Cell.Count(image.Have, Tone.Good), image.NotKnown, size, image.Sizes.Count == 0 && image.Have < nodes ? "" : ByteText.Of(image.Bytes), note);
        }
        return table;
    }

    private static TableView Nodes(IEnumerable<DryRun.NodeRow> rows)
    {
        var table = new TableView("NODE", "PLATFORM", "IMAGES", "TO FETCH", "FREE", "FITS", "NOTE") { DropWhenNarrow = ["PLATFORM"] };
        foreach (var row in rows)
        {
            var note = row.Node.HasDiskPressure ? "has DiskPressure" : row.Room.AvailableBytes is null ? $"disk not known: {row.Room.Why}" : "";
            table.Add(row.Node.Name, row.Node.Facts is null ? "" : row.Node.Platform.ToString(), row.Images, ByteText.Of(row.Bytes) + (row.IsPartlyUnknown ? " or more" : ""),
                row.Room.AvailableBytes is { } free ? ByteText.Of(free) : "", new Cell(row.Fits ?? "", row.Fits switch { "no" => Tone.Bad, "yes" => Tone.Good, _ => Tone.Plain }),
                new Cell(note, row.Node.HasDiskPressure ? Tone.Bad : Tone.Plain));
        }
        return table;
    }

    private static string Fitting(IEnumerable<DryRun.NodeRow> rows) => rows.Count(row => row.Fits == "no") is > 0 and var no ? $", {no} of which have no room" : "";
}
