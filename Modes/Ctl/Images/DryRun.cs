using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Images;

public enum Presence
{
    No,
    Yes,
    /// <summary>The kubelet names its fifty largest images only, and no job pulled this one.</summary>
    NotKnown,
}

/// <summary>A node as a dry run knows it.</summary>
/// <param name="Facts">Null: Nodes may not be read.</param>
/// <param name="NodeImage">Null: there is none, or NodeImages may not be read.</param>
public sealed record DryRunNode(string Name, Dictionary<string, string>? Labels, NodeFacts? Facts, NodeImage? NodeImage)
{
    /// <summary>What most clusters are made of, where a node does not say what it is.</summary>
    public static Platform AssumedPlatform { get; } = new("linux", "amd64");

    /// <summary>So many images a kubelet names unless it is told otherwise: a list of so many may go on.</summary>
    private const int KubeletNames = 50;

    public Platform Platform => Facts?.Status?.NodeInfo is { OperatingSystem: { Length: > 0 } os, Architecture: { Length: > 0 } architecture } ? new(os, architecture) : AssumedPlatform;

    public bool HasDiskPressure => Facts?.Status?.Conditions?.Exists(condition => condition is { Type: "DiskPressure", Status: "True" }) ?? false;

    public Presence Has(ImageReference image)
    {
        if (NodeImage?.Status.FindStatus(image.FamiliarName, image.TagOrDigest)?.Phase == PullPhase.Succeeded) return Presence.Yes;
        if (Facts?.Status?.Images is not { Count: > 0 } images) return Presence.NotKnown;
        var names = images.SelectMany(known => known.Names ?? []);
        if (names.Any(name => ImageReference.TryParse(name, out var known, out _) && known.ToString() == image.ToString())) return Presence.Yes;
        return images.Count < KubeletNames ? Presence.No : Presence.NotKnown;
    }
}

/// <summary>The room for images on a node; null bytes: not known, and why.</summary>
public sealed record DiskRoom(long? AvailableBytes, string Why = "");

/// <summary>
/// What the jobs and lists would do, computed from all that could be read: which node would fetch which bytes. Each piece of an image
/// counts once a node, whatever images share it; pieces that the node has of other images are not known, so it is "at most". Pure.
/// </summary>
public sealed class DryRun
{
    /// <param name="Nodes">Null: not known.</param>
    public sealed record ImageRow(string Image, int? Nodes, int Have, int NotKnown, IReadOnlyList<long> Sizes, long Bytes, string Note);

    public sealed record NodeRow(DryRunNode Node, int Images, long Bytes, bool IsPartlyUnknown, DiskRoom Room)
    {
        /// <summary>Unpacked, an image takes more than its download; below this much room for one it may not fit.</summary>
        private const int Unpacked = 4;

        /// <summary>Null: not known.</summary>
        public string? Fits => Room.AvailableBytes is not { } free ? null
            : Bytes > free ? "no"
            : Bytes * Unpacked > free ? "perhaps"
            : IsPartlyUnknown ? null : "yes";
    }

    private readonly Dictionary<string, (DryRunNode Node, Dictionary<string, long> Blobs, HashSet<string> Images, bool Unknown)> _nodes = new(StringComparer.Ordinal);
    private readonly List<ImageRow> _images = [];

    public IReadOnlyList<ImageRow> Images => _images;

    public long TotalBytes => _images.Count == 0 ? 0 : _nodes.Values.Sum(node => node.Blobs.Values.Sum());

    public IEnumerable<DryRunNode> Nodes => _nodes.Values.Select(node => node.Node);

    /// <param name="nodes">Those that the draft means; null: not known.</param>
    /// <param name="remote">What the registry has of each image.</param>
    public void Add(PullDraft draft, IReadOnlyList<DryRunNode>? nodes, Func<string, RemoteImage> remote)
    {
        foreach (var text in draft.Images)
        {
            if (!ImageReference.TryParse(text, out var image, out var error)) throw new ArgumentException(error, nameof(draft));
            _images.Add(RowOf(text, image, nodes, remote(text)));
        }
    }

    public IEnumerable<NodeRow> NodeRows(Func<string, DiskRoom> room) =>
        from node in _nodes.Values
        let row = new NodeRow(node.Node, node.Images.Count, node.Blobs.Values.Sum(), node.Unknown, room(node.Node.Name))
        orderby row.Fits switch { "no" => 0, "perhaps" => 1, null => 2, _ => 3 }, row.Node.Name
        select row;

    private ImageRow RowOf(string text, ImageReference image, IReadOnlyList<DryRunNode>? nodes, RemoteImage remote)
    {
        int have = 0, notKnown = 0;
        long bytes = 0;
        var sizes = new SortedSet<long>();
        var without = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var node in nodes ?? [])
        {
            ref var books = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_nodes, node.Name, out var isKnown);
            if (!isKnown) books = (node, new(StringComparer.Ordinal), new(StringComparer.Ordinal), false);
            var presence = node.Has(image);
            if (presence == Presence.Yes)
            {
                have++;
                continue;
            }
            if (presence == Presence.NotKnown) notKnown++;
            books.Images.Add(image.ToString());
            if (remote.WhyUnknown is not null) books.Unknown = true;
            else if (remote.For(node.Platform) is not { } blobs) without.Add(node.Platform.ToString());
            else
            {
                sizes.Add(blobs.Sum(blob => blob.Bytes));
                foreach (var blob in blobs) if (books.Blobs.TryAdd(blob.Digest, blob.Bytes)) bytes += blob.Bytes;
            }
        }
        if (nodes is null && remote.For(DryRunNode.AssumedPlatform) is { } assumed) sizes.Add(assumed.Sum(blob => blob.Bytes));
        var note = remote.WhyUnknown is { } why ? $"size not known: {why}" : without.Count > 0 ? $"there is none for {string.Join(", ", without)}: these nodes would fail" : "";
        return new(text, nodes?.Count, have, notKnown, [.. sizes], bytes, note);
    }
}
