namespace KruiseImage.Cri;

/// <summary>
/// Real byte progress of one running pull, from containerd's content service: finds the manifest that the pull brought, then counts
/// the bytes of its config and layers. Made for one attempt by <see cref="NodeRuntime"/>; each read is two small calls.
/// </summary>
internal sealed class ContentProgress(ContentClient content, string canonicalName, string tagOrDigest, DateTimeOffset pullStart) : IPullProgressReader
{
    private readonly HashSet<string> _committed = new(StringComparer.Ordinal);
    private IReadOnlyCollection<ContentPart>? _parts;

    public async Task<RuntimeAnswer<PullProgress?>> Read(CancellationToken cancellationToken)
    {
        var inFlight = await content.InFlight(cancellationToken).ConfigureAwait(false);
        if (inFlight.Failure is { } silent) return silent;
        if (_parts is null && await Find(inFlight.Value!, cancellationToken).ConfigureAwait(false) is { } unfound) return unfound;
        if (_parts is null) return new RuntimeAnswer<PullProgress?>(null, null);

        var missing = _parts.Where(part => !_committed.Contains(part.Digest)).ToList();
        if (missing.Count > 0)
        {
            var committed = await content.Committed(missing, cancellationToken).ConfigureAwait(false);
            if (committed.Failure is { } failure) return failure;
            _committed.UnionWith(committed.Value!);
        }
        return PullProgress.Of(_parts, _committed, inFlight.Value!);
    }

    /// <summary>
    /// The runtime links tag and manifest only when the pull has ended. Until then it is the one that the digest names, or the newest
    /// of the repository that came after the start, or (a second attempt) one whose layers are on their way. Two tags of one
    /// repository pulled at one time may be taken for each other; both end at 100.
    /// </summary>
    private async Task<PullFailure?> Find(IReadOnlyDictionary<string, long> inFlight, CancellationToken cancellationToken)
    {
        var manifests = await content.Manifests(canonicalName, cancellationToken).ConfigureAwait(false);
        if (manifests.Failure is { } failure) return failure;
        foreach (var manifest in manifests.Value!.OrderByDescending(manifest => manifest.Digest == tagOrDigest).ThenByDescending(manifest => manifest.CreatedAt))
        {
            var blob = await content.Read(manifest.Digest, cancellationToken).ConfigureAwait(false);
            if (blob.Failure is not null || ContentPart.OfManifest(blob.Value) is not { } parts) continue;
            if (manifest.Digest != tagOrDigest && manifest.CreatedAt < pullStart && !parts.Any(part => inFlight.ContainsKey(part.Digest))) continue;
            _parts = parts;
            break;
        }
        return null;
    }
}
