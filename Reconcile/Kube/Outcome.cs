namespace KruiseImage.Reconcile.Kube;

public enum OutcomeKind
{
    /// <summary>Nothing is left to do until something changes: forget past failures.</summary>
    Done,
    /// <summary>Nothing failed; look again after <see cref="Outcome.After"/>.</summary>
    RequeueAfter,
    /// <summary>An operating error: again, with the queue's backoff, or after <see cref="Outcome.After"/> when the server said so.</summary>
    Retry,
    /// <summary>Asking again cannot help: logged once and dropped.</summary>
    Drop,
}

/// <summary>How a reconcile ended; the loop maps it to the queue in one switch.</summary>
public readonly record struct Outcome(OutcomeKind Kind, TimeSpan After = default, string Message = "")
{
    public static readonly Outcome Done = new(OutcomeKind.Done);

    public static Outcome RequeueAfter(TimeSpan after) => new(OutcomeKind.RequeueAfter, after);

    public static Outcome Retry(string message, TimeSpan after = default) => new(OutcomeKind.Retry, after, message);

    public static Outcome Drop(string message) => new(OutcomeKind.Drop, default, message);
}
