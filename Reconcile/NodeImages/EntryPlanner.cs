using KruiseImage.Crds;

namespace KruiseImage.Reconcile.NodeImages;

/// <summary>
/// Plans the entries of one NodeImage: claims join or add entries, owners that let go leave, entries that nobody needs go. Made
/// for one plan and thrown away. Never touches what a person wrote, but for a missing createdAt and for its own TTL.
/// </summary>
public sealed class EntryPlanner
{
    /// <summary>A job that we have never seen may be newer than our cache: its entry is kept this long.</summary>
    public static readonly TimeSpan UnknownOwnerGrace = TimeSpan.FromSeconds(10);

    /// <summary>How much later than its TTL an entry may go, and at most.</summary>
    private const double ExpirySpread = 0.05;

    private static readonly TimeSpan LongestExpirySpread = TimeSpan.FromSeconds(30);

    /// <summary>The schema's bound. Nobody but a person gets there; then counting starts again, and the daemon asks only whether it differs.</summary>
    private const long MaxVersion = (1L << 53) - 1;

    private readonly NodeImage? _nodeImage;
    private readonly NodeImageView _view;
    private readonly DateTimeOffset _now;
    private readonly long _version;

    public EntryPlanner(NodeImage? nodeImage, NodeImageView view, DateTimeOffset now)
    {
        (_nodeImage, _view, _now) = (nodeImage, view, now);
        // The generation that this very patch makes. It never repeats on a NodeImage, so an entry that was removed and added again
        // can not be answered by a status of its former life, and no memory of former versions is needed.
        _version = nodeImage is null ? 0 : (nodeImage.Metadata.Generation ?? 0) + 1;
    }

    /// <summary>When time alone will change an entry.</summary>
    public TimeSpan? NextExpiry { get; private set; }

    /// <summary>The images that are claimed and not there; all of them when the NodeImage does not exist yet.</summary>
    public Dictionary<string, ImageSpec>? NewImages()
    {
        var known = _nodeImage?.Spec?.Images;
        var images = _view.Claims.Where(claim => known?.ContainsKey(claim.ImageName) != true).GroupBy(claim => claim.ImageName, StringComparer.Ordinal).Take(Defaults.MaxImages)
            .ToDictionary(image => image.Key, image => NewImage(image), StringComparer.Ordinal);
        return images.Count == 0 ? null : images;
    }

    public void Amend(JsonPatch patch)
    {
        var images = _nodeImage?.Spec?.Images;
        var created = NewImages() ?? [];
        if (images is null)
        {
            if (created.Count == 0) return;
            if (_nodeImage?.Spec is null) patch.Add("/spec", new NodeImageSpec { Images = created }, CrdJson.Default.NodeImageSpec);
            else patch.Add("/spec/images", created, CrdJson.Default.DictionaryStringImageSpec);
            return;
        }

        var count = images.Count;
        foreach (var (name, image) in images)
        {
            if (AmendImage(patch, name, image)) count--;
        }

        foreach (var (name, image) in created.OrderBy(image => image.Key, StringComparer.Ordinal))
        {
            if (count++ >= Defaults.MaxImages) break;
            patch.Add($"/spec/images/{JsonPatch.Escape(name)}", image, CrdJson.Default.ImageSpec);
        }
    }

    private ImageSpec NewImage(IEnumerable<PullClaim> claims) => new()
    {
        PullSecrets = MissingSecrets([], claims) is { Count: > 0 } secrets ? secrets : null,
        SandboxConfig = SandboxOf(claims),
        Tags =
        [
            .. claims.GroupBy(claim => claim.Tag, StringComparer.Ordinal).OrderBy(tag => tag.Key, StringComparer.Ordinal).Take(Defaults.MaxTagsPerImage)
                .Select(tag => NewEntry(tag.Key, [.. tag])),
        ],
    };

    private ImageTagSpec NewEntry(string tag, IReadOnlyList<PullClaim> claims) => new()
    {
        Tag = tag,
        Version = _version,
        CreatedAt = _now,
        PullPolicy = Merge(claims),
        ImagePullPolicy = PullPolicyOf(claims),
        OwnerReferences = [.. claims.Select(claim => claim.Owner)],
    };

    /// <returns>Whether the image goes altogether.</returns>
    private bool AmendImage(JsonPatch patch, string name, ImageSpec? image)
    {
        var path = $"/spec/images/{JsonPatch.Escape(name)}";
        var claims = _view.Claims.Where(claim => claim.ImageName == name).ToList();
        var tags = image?.Tags ?? [];
        var added = claims.Where(claim => tags.TrueForAll(entry => entry.Tag != claim.Tag)).GroupBy(claim => claim.Tag, StringComparer.Ordinal).ToList();
        if (image?.Tags is null)
        {
            if (added.Count > 0 && image is null) patch.Add(path, NewImage(claims), CrdJson.Default.ImageSpec);
            if (added.Count > 0 && image is not null)
            {
                patch.Add($"{path}/tags", NewImage(claims).Tags!, CrdJson.Default.ListImageTagSpec);
                AmendSecrets(patch, path, image, claims, isChanging: true);
            }

            return false;
        }

        var changes = patch.Changes;
        var leaving = new List<int>();
        for (var index = 0; index < tags.Count; index++)
        {
            if (AmendEntry(patch, $"{path}/tags/{index}", name, tags[index], claims)) leaving.Add(index);
        }

        if (leaving.Count > 0 && leaving.Count == tags.Count && added.Count == 0)
        {
            patch.Remove(path);
            return true;
        }

        // Last first, so that the indexes before stay what they were.
        for (var i = leaving.Count - 1; i >= 0; i--) patch.Remove($"{path}/tags/{leaving[i]}");
        var room = Math.Max(0, Defaults.MaxTagsPerImage - (tags.Count - leaving.Count));
        foreach (var tag in added.Take(room)) patch.Add($"{path}/tags/-", NewEntry(tag.Key, [.. tag]), CrdJson.Default.ImageTagSpec);
        AmendSandbox(patch, path, image, claims);
        AmendSecrets(patch, path, image, claims, patch.Changes > changes);
        return false;
    }

    /// <summary>The image has one for all its tags: of several jobs' the one of the least uid, and a person's before any.</summary>
    private static void AmendSandbox(JsonPatch patch, string path, ImageSpec image, List<PullClaim> claims)
    {
        if (SandboxOf(claims) is not { } wanted || JsonEquality.Same(image.SandboxConfig, wanted, CrdJson.Default.SandboxConfig)) return;
        if (image.SandboxConfig is not null && image.Tags!.Exists(entry => IsOfPerson(entry))) return;
        patch.Add($"{path}/sandboxConfig", wanted, CrdJson.Default.SandboxConfig);
    }

    private static SandboxConfig? SandboxOf(IEnumerable<PullClaim> claims) =>
        claims.Where(claim => claim.SandboxConfig is not null).MinBy(claim => claim.Owner.Uid, StringComparer.Ordinal)?.SandboxConfig;

    /// <summary>
    /// Secrets that a claim needs are added. Copies that none needs any more go with the next change of the image, so that they cost
    /// no write of their own; what a person named stays.
    /// </summary>
    private static void AmendSecrets(JsonPatch patch, string path, ImageSpec image, List<PullClaim> claims, bool isChanging)
    {
        var known = (image.PullSecrets ?? []).FindAll(secret => secret is not null);
        var missing = MissingSecrets(known, claims);
        if (missing.Count == 0 && !isChanging) return;
        var kept = known.FindAll(secret => !SecretCopy.IsCopyName(secret.Name) || claims.Exists(claim => claim.PullSecrets.Contains(secret)));
        if (missing.Count > 0 || kept.Count < known.Count) patch.Add($"{path}/pullSecrets", [.. kept, .. missing], CrdJson.Default.ListSecretReference);
    }

    private static List<SecretReference> MissingSecrets(List<SecretReference> known, IEnumerable<PullClaim> claims) =>
        [
        .. claims.SelectMany(claim => claim.PullSecrets).Where(secret => !known.Contains(secret)).Distinct()
            .OrderBy(secret => secret.Name, StringComparer.Ordinal).Take(Math.Max(0, Defaults.MaxPullSecrets - known.Count)),
    ];

    /// <returns>Whether the entry goes; then nothing is written into it.</returns>
    private bool AmendEntry(JsonPatch patch, string path, string name, ImageTagSpec entry, List<PullClaim> claims)
    {
        var owners = entry.OwnerReferences ?? [];
        var answer = _nodeImage?.Status.FindAnswer(name, entry.Tag ?? "", entry.Version ?? 0);
        var finished = PullPhase.IsFinished(answer?.Phase) ? answer : null;
        var standings = owners.ConvertAll(owner => StandingOf(owner, name, entry, finished is not null));
        var joining = claims.Where(claim => claim.Tag == entry.Tag && !entry.IsOwnedBy(claim.Owner.Uid!)).ToList();
        var isOwned = owners.Exists(owner => !IsPersons(owner));
        var staying = standings.Count(Stays);

        if (isOwned && staying == 0 && joining.Count == 0) return true;
        if (joining.Count == 0 && !standings.Contains(OwnerStanding.Holds) && HasExpired(name, entry, finished)) return true;

        for (var index = owners.Count - 1; index >= 0; index--)
            if (!Stays(standings[index])) patch.Remove($"{path}/ownerReferences/{index}");
        Join(patch, path, entry, owners, joining);
        Renew(patch, path, entry, finished, joining, claims);
        return false;
    }

    private OwnerStanding StandingOf(ObjectReference owner, string name, ImageTagSpec entry, bool isFinished)
    {
        var standing = _view.Standing(owner, name, entry.Tag ?? "");
        if (standing == OwnerStanding.Finished && !isFinished) return OwnerStanding.Released; // nobody awaits the end of this pull
        if (standing != OwnerStanding.Unknown) return standing;
        var graceLeft = (entry.CreatedAt ?? DateTimeOffset.MinValue) - _now + UnknownOwnerGrace;
        if (graceLeft <= TimeSpan.Zero) return OwnerStanding.Gone;
        LookAgain(graceLeft);
        return OwnerStanding.Unknown;
    }

    private static bool Stays(OwnerStanding standing) => standing is OwnerStanding.Foreign or OwnerStanding.Holds or OwnerStanding.Finished or OwnerStanding.Unknown;

    private bool HasExpired(string name, ImageTagSpec entry, ImageTagStatus? finished)
    {
        if (finished?.CompletionTime is not { } completed || entry.PullPolicy?.TtlSecondsAfterFinished is not { } ttl) return false;
        var left = completed + TimeSpan.FromSeconds(ttl) + Spread(TimeSpan.FromSeconds(ttl), name, entry) - _now;
        if (left > TimeSpan.Zero) LookAgain(left);
        return left <= TimeSpan.Zero;
    }

    /// <summary>A job ends on thousands of nodes at once: its entries go a little later each, never earlier, so that they are not all written in one second.</summary>
    private TimeSpan Spread(TimeSpan ttl, string name, ImageTagSpec entry)
    {
        var most = ttl * ExpirySpread < LongestExpirySpread ? ttl * ExpirySpread : LongestExpirySpread;
        return StableHash.Of(_view.Name, ImageReference.ForRuntime(name, entry.Tag ?? "")) % 1000 / 1000.0 * most;
    }

    /// <summary>A person's own entry, when a job joins it, is marked as owned by the NodeImage itself, so that it outlives the job.</summary>
    private void Join(JsonPatch patch, string path, ImageTagSpec entry, List<ObjectReference> owners, List<PullClaim> joining)
    {
        if (joining.Count == 0) return;
        var references = joining.ConvertAll(claim => claim.Owner);
        if (owners.Count == 0)
        {
            references.Insert(0, Persons());
            patch.Add($"{path}/ownerReferences", references, CrdJson.Default.ListObjectReference);
            return;
        }

        foreach (var reference in references) patch.Add($"{path}/ownerReferences/-", reference, CrdJson.Default.ObjectReference);
    }

    /// <summary>Raises the version when a new pull is really wanted, and keeps the entry's policy the merge of its claims.</summary>
    private void Renew(JsonPatch patch, string path, ImageTagSpec entry, ImageTagStatus? finished, List<PullClaim> joining, List<PullClaim> claims)
    {
        var version = entry.Version ?? 0;
        var mine = claims.FindAll(claim => claim.Tag == entry.Tag);
        var failed = finished?.Phase == PullPhase.Failed;
        var again = joining.Exists(claim => failed || claim.ImagePullPolicy == Defaults.Always) || mine.Exists(claim => claim.AfterVersion >= version);
        if (again) patch.Add($"{path}/version", version < MaxVersion ? Math.Max(version + 1, _version) : _version, CrdJson.Default.Int64);
        if (again || entry.CreatedAt is null) patch.Add($"{path}/createdAt", _now, CrdJson.Default.DateTimeOffset);
        if (mine.Count == 0 || (finished is not null && !again)) return; // nobody pulls by it any more

        var policy = Merge(mine);
        if (!IsOfPerson(entry)) AmendPolicy(patch, $"{path}/pullPolicy", entry.PullPolicy, policy);
        if ((entry.ImagePullPolicy ?? Defaults.IfNotPresent) != PullPolicyOf(mine)) patch.Add($"{path}/imagePullPolicy", PullPolicyOf(mine), CrdJson.Default.String);
    }

    /// <summary>Field by field: what else a policy holds may be of a newer OpenKruise.</summary>
    private static void AmendPolicy(JsonPatch patch, string path, TagPullPolicy? known, TagPullPolicy wanted)
    {
        if (known is null)
        {
            patch.Add(path, wanted, CrdJson.Default.TagPullPolicy);
            return;
        }

        Amend("timeoutSeconds", known.TimeoutSeconds, wanted.TimeoutSeconds);
        Amend("backoffLimit", known.BackoffLimit, wanted.BackoffLimit);
        Amend("ttlSecondsAfterFinished", known.TtlSecondsAfterFinished, wanted.TtlSecondsAfterFinished);
        Amend("activeDeadlineSeconds", known.ActiveDeadlineSeconds, wanted.ActiveDeadlineSeconds);

        void Amend(string field, long? before, long? after)
        {
            if (before == after) return;
            if (after is { } value) patch.Add($"{path}/{field}", value, CrdJson.Default.Int64);
            else patch.Remove($"{path}/{field}");
        }
    }

    /// <summary>The longest timeout and TTL, the largest backoff, the latest deadline: no owner gets less than it asked for.</summary>
    private static TagPullPolicy Merge(IReadOnlyList<PullClaim> claims) => new()
    {
        TimeoutSeconds = claims.Max(claim => claim.Policy.TimeoutSeconds),
        BackoffLimit = claims.Max(claim => claim.Policy.BackoffLimit),
        TtlSecondsAfterFinished = claims.Max(claim => claim.Policy.TtlSecondsAfterFinished),
        ActiveDeadlineSeconds = claims.Any(claim => claim.Policy.ActiveDeadlineSeconds is null) ? null : claims.Max(claim => claim.Policy.ActiveDeadlineSeconds),
    };

    private static string PullPolicyOf(IReadOnlyList<PullClaim> claims) =>
        claims.Any(claim => claim.ImagePullPolicy == Defaults.Always) ? Defaults.Always : Defaults.IfNotPresent;

    private static bool IsPersons(ObjectReference owner) => owner.Kind == nameof(NodeImage);

    private static bool IsOfPerson(ImageTagSpec entry) => entry.OwnerReferences is null or [] || entry.OwnerReferences.Exists(IsPersons);

    private ObjectReference Persons() =>
        new() { ApiVersion = Defaults.ApiVersion, Kind = nameof(NodeImage), Name = _view.Name, Uid = _nodeImage?.Metadata.Uid };

    private void LookAgain(TimeSpan after)
    {
        if (NextExpiry is null || after < NextExpiry) NextExpiry = after;
    }
}
