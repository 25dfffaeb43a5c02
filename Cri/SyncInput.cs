using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Cri;

/// <summary>What the sync loop is told. Data: a run can be replayed from it.</summary>
public abstract record SyncInput;

/// <summary>The store's NodeImage is another than before. Level-triggered: the loop reads the store.</summary>
public sealed record NodeImageChanged : SyncInput;

/// <summary>A moment came that the loop asked for.</summary>
public sealed record TimeCame : SyncInput;

public sealed record PresenceAnswered(long Question, RuntimeAnswer<PresentImage?> Answer) : SyncInput;

public sealed record PullProgressed(long Attempt, ProgressSample Sample) : SyncInput;

public sealed record PullEnded(long Attempt, PullOutcome Outcome) : SyncInput;

/// <param name="Leased">The references that have a lease of ours.</param>
public sealed record RuntimeAnswered(IReadOnlyList<string> Leased) : SyncInput;

public sealed record LeaseReleased(string Reference, bool IsGone) : SyncInput;

public sealed record StatusWritten(ApiResult<NodeImage> Result) : SyncInput;
