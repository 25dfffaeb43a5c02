namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get images": one line an image. A tag that is not the same on all nodes is what the eye must fall on.</summary>
public static class ImageTable
{
    /// <summary>As many as an eye can compare.</summary>
    private const int DigestLetters = 12;

    private const int MaxNamed = 3;

    public static TableView Of(IEnumerable<ImageCount> images, bool isWide)
    {
        string[] wide = isWide ? ["JOBS"] : [];
        var table = new TableView(["IMAGE", "NODES", "WANTED", "PULLING", "FAILED", "WAITING", .. wide, "DIGESTS"]) { DropWhenNarrow = ["WAITING", "WANTED"] };
        foreach (var image in images)
        {
            table.Add([
                image.Image, Cell.Count(image.Present, image.Present == image.Wanted ? Tone.Good : Tone.Plain), image.Wanted, Cell.Count(image.Pulling, Tone.Busy),
                Cell.Count(image.Failed, Tone.Bad), image.Waiting, .. isWide ? (Cell[])[Named(image.Jobs)] : [],
                new(isWide ? AllDigests(image) : Digests(image), image.HasDrifted ? Tone.Bad : Tone.Plain),
            ]);
        }
        return table;
    }

    /// <summary>"2f68b99bc0d6", or "2 different: 2f68b99bc0d6 x10, …".</summary>
    private static string Digests(ImageCount image) => image.HasDrifted
        ? $"{image.Digests.Count()} different: {Named([.. image.Digests.Select(digest => $"{Short(digest.ImageID)} x{digest.Count}")])}"
        : string.Join("", image.Digests.Select(digest => Short(digest.ImageID)));

    private static string AllDigests(ImageCount image) => string.Join(", ", image.Digests.Select(digest => $"{Digest(digest.ImageID)} x{digest.Count}"));

    private static string Named(IReadOnlyCollection<string> names)
    {
        var rest = names.Count - MaxNamed;
        return string.Join(", ", names.Take(MaxNamed)) + (rest > 0 ? $" and {rest} more" : "");
    }

    /// <summary>Of "name@sha256:…" and of "sha256:…".</summary>
    private static string Digest(string imageID) => imageID[(imageID.IndexOf('@', StringComparison.Ordinal) + 1)..];

    private static string Short(string imageID)
    {
        var digest = Digest(imageID);
        var letters = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return letters.Length <= DigestLetters ? letters : letters[..DigestLetters];
    }
}
