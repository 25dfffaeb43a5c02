using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.SecretCopies;

/// <summary>All that decides about the copies of one source secret. A snapshot, made by <see cref="SecretBoard.Read"/>.</summary>
/// <param name="SourceKey">"namespace/name".</param>
public sealed record SecretView(string SourceKey, string CopyNamespace)
{
    /// <summary>The jobs that name it and are not being deleted, by key.</summary>
    public IReadOnlyList<ImagePullJob> Jobs { get; init; } = [];

    /// <summary>An unfinished job is among them, so the source is watched.</summary>
    public bool IsFollowed { get; init; }

    /// <summary>The watch has told its first state.</summary>
    public bool IsKnown { get; init; }

    public Secret? Source { get; init; }

    /// <summary>Every secret of the copies' namespace that says it is a copy of this one, by name.</summary>
    public IReadOnlyList<Secret> Copies { get; init; } = [];

    /// <summary>The jobs need not wait for it any more.</summary>
    public bool IsSettled { get; init; }

    /// <summary>What is wrong with it, as the jobs in <see cref="Told"/> were told.</summary>
    public string Problem { get; init; } = "";

    /// <summary>Uids of jobs.</summary>
    public IReadOnlySet<string> Told { get; init; } = new HashSet<string>();

    public string Namespace => ObjectKey.Split(SourceKey).Namespace!;

    public string Name => ObjectKey.Split(SourceKey).Name;
}
