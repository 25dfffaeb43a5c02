using KruiseImage.Crds;

namespace KruiseImage.Reconcile.SecretCopies;

/// <summary>The books of one source secret. Owned and written by <see cref="SecretBoard"/> alone, under its lock.</summary>
public sealed class SecretLedger
{
    /// <summary>The jobs that name it and are not being deleted, by their keys.</summary>
    public SortedDictionary<string, ImagePullJob> Jobs { get; } = new(StringComparer.Ordinal);

    /// <summary>Since when a watch on it has been wanted; null while no unfinished job names it.</summary>
    public DateTimeOffset? FollowedSince { get; private set; }

    /// <summary>Whether the watch has told its first state. Not known is not missing.</summary>
    public bool IsKnown { get; set; }

    public Secret? Source { get; set; }

    /// <summary>All that can be done for the state that was read first is done.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>What is wrong with it, as the jobs in <see cref="Told"/> were told; empty when nothing is.</summary>
    public string Problem { get; private set; } = "";

    public HashSet<string> Told { get; } = new(StringComparer.Ordinal);

    public void Follow(DateTimeOffset now) => FollowedSince = now;

    /// <summary>Nobody watches it any more: what was known is forgotten, credentials first.</summary>
    public void Unfollow()
    {
        (FollowedSince, IsKnown, Source, IsSettled, Problem) = (null, false, null, false, "");
        Told.Clear();
    }

    public void Settle(string problem)
    {
        if (Problem != problem) Told.Clear();
        (IsSettled, Problem) = (true, problem);
        if (problem.Length > 0) Told.UnionWith(Jobs.Values.Select(job => job.Metadata.Uid ?? ""));
    }
}
