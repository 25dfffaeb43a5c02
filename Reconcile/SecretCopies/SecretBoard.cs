using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.SecretCopies;

/// <summary>
/// Which jobs name which secret, what is known of it, and which copies there are (contract 4.1): kept up to date by the informers'
/// events, each in O(secrets of that job). Asks for a watch on a secret only while an unfinished job names it. Knows no IO and no
/// clock; answers with keys through its sinks, which must not block. It must never put a secret's content into a text.
/// </summary>
/// <param name="follow">Asked, outside the lock, to watch a source ("namespace/name") or to end that.</param>
public sealed class SecretBoard(
    ILister<Secret> copies, string copyNamespace, Action<string> enqueueSource, Action<string> enqueueJob, Action<string, bool> follow) : IPullSecrets
{
    /// <summary>A secret that can be neither read nor copied holds its jobs up for so long.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, SecretLedger> _sources = new(StringComparer.Ordinal);

    /// <summary>Source key to the names of its copies: usually one.</summary>
    private readonly Dictionary<string, SortedSet<string>> _copies = new(StringComparer.Ordinal);

    /// <summary>Job key to the number of copies that say they are for it.</summary>
    private readonly Dictionary<string, int> _references = new(StringComparer.Ordinal);

    public void OnJob(ImagePullJob? before, ImagePullJob? after, DateTimeOffset now)
    {
        var key = ObjectKey.Of((after ?? before)!.Metadata);
        var (was, wants) = (Sources(before), Sources(after));
        if (was.Count + wants.Count == 0) return;
        List<(string Source, bool IsFollowed)> changes = [];
        lock (_gate)
        {
            foreach (var source in was.Union(wants, StringComparer.Ordinal))
            {
                if (!_sources.TryGetValue(source, out var ledger)) _sources[source] = ledger = new SecretLedger();
                var isNews = ledger.Jobs.ContainsKey(key) != wants.Contains(source);
                if (wants.Contains(source)) ledger.Jobs[key] = after!;
                else ledger.Jobs.Remove(key);
                var isFollowed = ledger.Jobs.Values.Any(job => job.Status?.CompletionTime is null);
                if (isFollowed != ledger.FollowedSince.HasValue)
                {
                    changes.Add((source, isFollowed));
                    isNews = true; // a job may be over before its secret was read
                }

                if (isFollowed && ledger.FollowedSince is null) ledger.Follow(now);
                if (!isFollowed) ledger.Unfollow();
                if (ledger.Jobs.Count == 0) _sources.Remove(source);
                if (isNews) enqueueSource(source);
            }
        }

        foreach (var (source, isFollowed) in changes) follow(source, isFollowed);
    }

    /// <summary>The watch tells what the source is now; null when there is none.</summary>
    public void OnSource(string source, Secret? secret)
    {
        lock (_gate)
        {
            if (!_sources.TryGetValue(source, out var ledger) || ledger.FollowedSince is null) return;
            ledger.Source = secret;
            if (ledger.IsKnown) enqueueSource(source);
        }
    }

    /// <summary>The watch has told its first state.</summary>
    public void OnSourceListed(string source)
    {
        lock (_gate)
        {
            if (!_sources.TryGetValue(source, out var ledger) || ledger.FollowedSince is null) return;
            ledger.IsKnown = true;
            enqueueSource(source);
        }
    }

    public void OnCopy(Secret? before, Secret? after)
    {
        lock (_gate)
        {
            foreach (var job in SecretCopy.References(before)) Count(job, -1);
            foreach (var job in SecretCopy.References(after)) Count(job, +1);
            Index(before, isThere: false);
            Index(after, isThere: true);
            // A job that is being deleted may wait for this.
            foreach (var job in SecretCopy.References(before).Except(SecretCopy.References(after), StringComparer.Ordinal)) enqueueJob(job);
        }
    }

    /// <summary>Null when neither a job nor a copy speaks of the source.</summary>
    public SecretView? Read(string source)
    {
        lock (_gate)
        {
            var known = _sources.GetValueOrDefault(source);
            var names = _copies.GetValueOrDefault(source);
            if (known is null && names is null) return null;
            return new SecretView(source, copyNamespace)
            {
                Jobs = [.. known?.Jobs.Values ?? Enumerable.Empty<ImagePullJob>()],
                IsFollowed = known?.FollowedSince is not null,
                IsKnown = known?.IsKnown ?? false,
                Source = known?.Source,
                Copies = [.. (names ?? []).Select(name => copies.TryGet(ObjectKey.Of(copyNamespace, name), out var copy) ? copy : null).OfType<Secret>()],
                IsSettled = known?.IsSettled ?? false,
                Problem = known?.Problem ?? "",
                Told = new HashSet<string>(known?.Told ?? [], StringComparer.Ordinal),
            };
        }
    }

    public void Settle(string source, string problem)
    {
        lock (_gate)
        {
            if (!_sources.TryGetValue(source, out var ledger)) return;
            var isFirst = !ledger.IsSettled;
            ledger.Settle(problem);
            if (!isFirst) return;
            foreach (var job in ledger.Jobs.Keys) enqueueJob(job);
        }
    }

    public IReadOnlyList<SecretReference> ReferencesFor(ImagePullJob job) =>
    [
        .. Names(job).Select(name => new SecretReference
        {
            Namespace = copyNamespace,
            Name = IsDirect(job) ? name : SecretCopy.NameOf(job.Metadata.Namespace!, name),
        }),
    ];

    public TimeSpan WaitFor(ImagePullJob job, DateTimeOffset now)
    {
        var longest = TimeSpan.Zero;
        lock (_gate)
        {
            foreach (var source in Sources(job))
            {
                if (!_sources.TryGetValue(source, out var ledger) || ledger.IsSettled || ledger.FollowedSince is not { } since) continue;
                var left = since + LongestWait - now;
                if (left > longest) longest = left;
            }
        }

        return longest;
    }

    public bool MayHoldCopies(string jobKey)
    {
        lock (_gate) return !copies.IsSynced || _references.ContainsKey(jobKey);
    }

    /// <summary>Everything is looked at, and what a former leader left undone is waited for anew.</summary>
    public void BeginLeading(DateTimeOffset now)
    {
        lock (_gate)
        {
            foreach (var ledger in _sources.Values.Where(ledger => ledger is { IsSettled: false, FollowedSince: not null })) ledger.Follow(now);
            foreach (var source in AllSources()) enqueueSource(source);
        }
    }

    /// <summary>Every source that a job or a copy speaks of.</summary>
    internal IReadOnlyCollection<string> AllSources()
    {
        lock (_gate) return [.. _sources.Keys.Union(_copies.Keys, StringComparer.Ordinal)];
    }

    /// <summary>
    /// The sources that a job wants copied: none before its finalizer is on, or the job could go and leave a copy; none once it is being
    /// deleted, and none of a job that may use its secrets directly.
    /// </summary>
    private List<string> Sources(ImagePullJob? job) => job is null || job.Metadata.DeletionTimestamp is not null || IsDirect(job) || !SecretCopy.IsGuarded(job)
        ? []
        : [.. Names(job).Select(name => ObjectKey.Of(job.Metadata.Namespace, name))];

    private bool IsDirect(ImagePullJob job) => job.Metadata.Namespace == copyNamespace;

    private static IEnumerable<string> Names(ImagePullJob job) =>
        (job.Spec.PullSecrets ?? []).Where(Validation.IsObjectName).Distinct(StringComparer.Ordinal);

    private void Count(string job, int change)
    {
        var count = _references.GetValueOrDefault(job) + change;
        if (count == 0) _references.Remove(job);
        else _references[job] = count;
    }

    private void Index(Secret? copy, bool isThere)
    {
        if (copy is null || SecretCopy.SourceKey(copy) is not { } source) return;
        if (!_copies.TryGetValue(source, out var names)) _copies[source] = names = new SortedSet<string>(StringComparer.Ordinal);
        if (isThere) names.Add(copy.Metadata.Name!);
        else names.Remove(copy.Metadata.Name!);
        if (names.Count == 0) _copies.Remove(source);
        enqueueSource(source);
    }
}
