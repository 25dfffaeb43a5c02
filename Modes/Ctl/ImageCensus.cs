using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Which image is on how many nodes and as which bytes, counted NodeImage by NodeImage: it grows with the images, not with the nodes. Filled
/// by "ctl get images", page by page. Speaks of images that somebody asked for only: no NodeImage knows what else a node has.
/// </summary>
public sealed class ImageCensus(Predicate<PullEntry> isWanted)
{
    private readonly Dictionary<string, ImageCount> _images = new(StringComparer.Ordinal);

    /// <summary>By image.</summary>
    public IEnumerable<ImageCount> Images => _images.Values.OrderBy(image => image.Image, StringComparer.Ordinal);

    public void Clear() => _images.Clear();

    public void Add(IEnumerable<NodeImage> nodes)
    {
        foreach (var entry in nodes.SelectMany(PullEntry.Of).Where(entry => isWanted(entry)))
        {
            if (!_images.TryGetValue(entry.Reference, out var image)) _images.Add(entry.Reference, image = new ImageCount(entry.Reference));
            image.Add(entry);
        }
    }
}

/// <summary>One image over all nodes that are to have it.</summary>
public sealed class ImageCount(string image)
{
    private readonly Dictionary<string, int> _digests = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _failures = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _jobs = new(StringComparer.Ordinal);

    /// <summary>As the runtime is asked for it.</summary>
    public string Image => image;

    /// <summary>Nodes that are to have it.</summary>
    public int Wanted { get; private set; }

    /// <summary>Nodes that have it.</summary>
    public int Present { get; private set; }

    public int Pulling { get; private set; }

    public int Failed { get; private set; }

    public int Waiting => Wanted - Present - Pulling - Failed;

    /// <summary>The tag meant other bytes when some of the nodes pulled it.</summary>
    public bool HasDrifted => _digests.Count > 1;

    /// <summary>Most nodes first. Runtimes that do not tell are not among them.</summary>
    public IEnumerable<DigestCount> Digests => Ranked(_digests).Select(pair => new DigestCount { ImageID = pair.Key, Count = pair.Value });

    /// <summary>By reason, most nodes first.</summary>
    public IEnumerable<KeyValuePair<string, int>> Failures => Ranked(_failures);

    /// <summary>"namespace/name" of the jobs that asked for it.</summary>
    public IReadOnlyCollection<string> Jobs => _jobs;

    public void Add(PullEntry entry)
    {
        Wanted++;
        foreach (var owner in entry.Spec.OwnerReferences ?? [])
            if (owner.Kind == CtlKinds.Jobs.Kind) _jobs.Add($"{owner.Namespace}/{owner.Name}");
        switch (entry.Phase)
        {
            case PullPhase.Succeeded:
                Present++;
                if (entry.Answer!.ImageID is { Length: > 0 } digest) Count(_digests, digest);
                break;
            case PullPhase.Failed:
                Failed++;
                Count(_failures, entry.Answer!.Reason ?? PullReason.Unknown);
                break;
            case PullPhase.Pulling:
                Pulling++;
                break;
        }
    }

    private static void Count(Dictionary<string, int> counts, string key) => counts[key] = counts.GetValueOrDefault(key) + 1;

    private static IEnumerable<KeyValuePair<string, int>> Ranked(Dictionary<string, int> counts) =>
        counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal);
}
