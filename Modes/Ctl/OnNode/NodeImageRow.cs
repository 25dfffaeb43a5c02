using KruiseImage.Crds;
using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>
/// An image as one name of it: a runtime lists an image once with all its tags and digests, a person looks for a name. Pure.
/// </summary>
/// <param name="Reference">"nginx:1.9.1", or the name with a digest where there is no tag, or the runtime's ID where there is neither.</param>
/// <param name="Digest">"sha256:…" that this name was pulled as; empty when the runtime has none.</param>
public sealed record NodeImageRow(string Reference, string Digest, RuntimeImage Image)
{
    /// <summary>Fewer letters of a digest are a name.</summary>
    private const int MinIdLength = 6;

    /// <summary>All names of all images, sorted.</summary>
    public static IReadOnlyList<NodeImageRow> Of(IEnumerable<RuntimeImage> images) =>
        [.. images.SelectMany(Names).OrderBy(row => row.Reference, StringComparer.Ordinal).ThenBy(row => row.Digest, StringComparer.Ordinal)];

    /// <summary>Those that a person means: a name without a tag means all tags of it, an ID or digest what begins with it.</summary>
    public static IReadOnlyList<NodeImageRow> Matching(IReadOnlyList<NodeImageRow> rows, string name)
    {
        // The tag of a name may look like the beginning of a digest.
        var hex = name.StartsWith("sha256:", StringComparison.Ordinal) ? Hex(name) : name;
        var byId = rows.Where(row => hex.Length >= MinIdLength && hex.All(char.IsAsciiHexDigitLower)
            && (Hex(row.Digest).StartsWith(hex, StringComparison.Ordinal) || Hex(row.Image.Id).StartsWith(hex, StringComparison.Ordinal)));
        if (!ImageReference.TryParse(name, out var wanted, out _)) return [.. byId];
        var byName = rows.Where(row => ImageReference.TryParse(row.Reference, out var known, out _) && known.CanonicalName == wanted.CanonicalName
            && (wanted.Tag is null || known.Tag == wanted.Tag) && (wanted.Digest is null || row.Digest == wanted.Digest)).ToList();
        return byName.Count > 0 ? byName : [.. byId];
    }

    public static TableView Table(IEnumerable<NodeImageRow> rows, bool isWide)
    {
        string[] more = isWide ? ["ID"] : [];
        var table = new TableView(["REFERENCE", "DIGEST", "SIZE", "PINNED", .. more]) { DropWhenNarrow = ["PINNED", "DIGEST"] };
        foreach (var row in rows)
        {
            Cell[] wide = isWide ? [row.Image.Id] : [];
            var (reference, digest) = isWide ? (row.Reference, row.Digest) : (Short(row.Reference), NodePullReport.ShortDigest(row.Digest));
            table.Add([reference, digest, ByteText.Of(row.Image.Bytes), row.Image.IsPinned ? "yes" : "", .. wide]);
        }
        return table;
    }

    /// <summary>A digest or ID within a name, cut to what people compare; it may still be asked for.</summary>
    private static string Short(string reference) =>
        reference.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? $"{reference[..at]}@{NodePullReport.ShortDigest(reference)}"
        : reference.StartsWith("sha256:", StringComparison.Ordinal) ? NodePullReport.ShortDigest(reference)
        : reference;

    private static IEnumerable<NodeImageRow> Names(RuntimeImage image)
    {
        foreach (var tag in image.Tags) yield return new(Familiar(tag), DigestOf(image, RepositoryOf(tag)), image);
        var tagged = image.Tags.Select(RepositoryOf).ToHashSet(StringComparer.Ordinal);
        foreach (var digest in image.Digests.Where(digest => !tagged.Contains(RepositoryOf(digest)))) yield return new(Familiar(digest), After(digest), image);
        if (image.Tags.Count + image.Digests.Count == 0) yield return new(image.Id, "", image);
    }

    private static string Familiar(string name) => ImageReference.TryParse(name, out var image, out _) ? image.ToString() : name;

    private static string RepositoryOf(string name) =>
        name.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? name[..at]
        : name.LastIndexOf(':') is var colon && colon > name.LastIndexOf('/') ? name[..colon]
        : name;

    private static string DigestOf(RuntimeImage image, string repository) =>
        image.Digests.FirstOrDefault(digest => RepositoryOf(digest) == repository) is { } own ? After(own) : "";

    private static string After(string digest) => digest[(digest.IndexOf('@', StringComparison.Ordinal) + 1)..];

    private static string Hex(string id) => id[(id.IndexOf(':', StringComparison.Ordinal) + 1)..];
}
