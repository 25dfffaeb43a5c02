using System.Globalization;
using KruiseImage.Crds;
using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>A download that the runtime works on, whoever asked for it.</summary>
/// <param name="Repositories">What it belongs to; empty as long as no manifest names it.</param>
public sealed record NodeDownload(ContentDownload Content, IReadOnlyList<string> Repositories, double? BytesPerSecond)
{
    public string? Digest => PullProgress.DigestOf(Content.Ref);

    /// <summary>"layer sha256:2f68b99bc0d6"; containerd names a download by what it is and its digest.</summary>
    public string Part => Digest is { } digest ? $"{Content.Ref[..^(digest.Length + 1)]} {NodePullReport.ShortDigest(digest)}" : Content.Ref;

    public int? Percent => Content.Total > 0 ? (int)Math.Clamp(Content.Offset * 100.0 / Content.Total, 0, 100) : null;
}

/// <summary>
/// What the runtime downloads, sample by sample: joins each download with the images whose manifests name it, and with its rate. Pure;
/// the verb brings the samples.
/// </summary>
public sealed class DownloadBoard
{
    private readonly Dictionary<string, ByteRate> _rates = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedSet<string>> _repositories = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Sorted by image, then by part.</summary>
    public IReadOnlyList<NodeDownload> Downloads { get; private set; } = [];

    /// <summary>Whether a manifest has not been told of yet: each is read once.</summary>
    public bool IsNews(string manifestDigest) => !_known.Contains(manifestDigest);

    /// <summary>Whether the image of some download is not known: then the manifests are worth another look.</summary>
    public bool LacksImages(IEnumerable<ContentDownload> downloads) =>
        downloads.Any(download => PullProgress.DigestOf(download.Ref) is { } digest && !_repositories.ContainsKey(digest));

    public void Learn(ManifestSource manifest, IEnumerable<ContentPart> parts)
    {
        _known.Add(manifest.Digest);
        foreach (var part in parts)
        {
            if (!_repositories.TryGetValue(part.Digest, out var names)) _repositories[part.Digest] = names = new(StringComparer.Ordinal);
            names.UnionWith(manifest.Repositories);
        }
    }

    public void Observe(IReadOnlyList<ContentDownload> downloads, DateTimeOffset now)
    {
        foreach (var gone in _rates.Keys.Except(downloads.Select(download => download.Ref)).ToList()) _rates.Remove(gone);
        foreach (var download in downloads)
        {
            if (!_rates.TryGetValue(download.Ref, out var rate)) _rates[download.Ref] = rate = new ByteRate();
            rate.Sample(download.Offset, now);
        }
        Downloads =
        [
            .. downloads.Select(download => new NodeDownload(download, RepositoriesOf(download), _rates[download.Ref].PerSecond))
                .OrderBy(download => download.Repositories.Count > 0 ? download.Repositories[0] : "~", StringComparer.Ordinal)
                .ThenBy(download => download.Content.Ref, StringComparer.Ordinal),
        ];
    }

    public static TableView Table(IEnumerable<NodeDownload> downloads, DateTimeOffset now)
    {
        var table = new TableView("IMAGE", "PART", "DONE", "TOTAL", "PROGRESS", "RATE", "SINCE") { DropWhenNarrow = ["SINCE", "TOTAL", "DONE"] };
        foreach (var download in downloads)
        {
            table.Add(
                Images(download), download.Part, ByteText.Of(download.Content.Offset), download.Content.Total > 0 ? ByteText.Of(download.Content.Total) : "",
                new Cell(download.Percent is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent}%") : "", Tone.Busy),
                download.BytesPerSecond is { } rate ? ByteText.Rate(rate) : "", DurationText.Age(download.Content.StartedAt, now));
        }
        return table;
    }

    /// <summary>A layer may be of several images; the first says enough for a table.</summary>
    private static string Images(NodeDownload download) => download.Repositories switch
    {
        [] => "",
        [var one] => Familiar(one),
        [var first, ..] => $"{Familiar(first)} and {download.Repositories.Count - 1} more",
    };

    private static string Familiar(string name) => ImageReference.TryParse(name, out var image, out _) ? image.FamiliarName : name;

    private IReadOnlyList<string> RepositoriesOf(ContentDownload download) =>
        PullProgress.DigestOf(download.Ref) is { } digest && _repositories.TryGetValue(digest, out var names) ? [.. names] : [];
}
