using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>What the pull table wants done. Data: the sync loop performs it and decides nothing.</summary>
public abstract record PullAction;

/// <summary>Ask the runtime whether the image is there; answer with <see cref="PullTable.Answered"/>.</summary>
public sealed record AskPresence(long Question, PullEntry Entry) : PullAction;

/// <summary>Pull; answer with <see cref="PullTable.Ended"/>, also when it was cancelled.</summary>
/// <param name="Attempt">Names this attempt in every answer. Never used twice.</param>
public sealed record StartPull(long Attempt, PullEntry Entry) : PullAction;

/// <summary>Abort the RPC at once. The attempt holds its slot until it is said to have ended.</summary>
public sealed record CancelPull(long Attempt) : PullAction;

/// <summary>Delete the lease that keeps what was fetched of the reference; answer with <see cref="PullTable.LeaseReleased"/>.</summary>
/// <param name="FreesBytes">What it kept is of no use: it is to leave the disk at once.</param>
public sealed record ReleaseLease(string Reference, bool FreesBytes) : PullAction;

/// <summary>The runtime does not answer: look for it until it does, then call <see cref="PullTable.RuntimeFound"/>.</summary>
public sealed record FindRuntime : PullAction;

/// <summary>An entry is done, well or badly: for events, metrics and the log.</summary>
/// <param name="Elapsed">Since the start of the pull, all attempts together.</param>
/// <param name="Bytes">Size of the image; 0 when unknown.</param>
public sealed record Announce(PullEntry Entry, ImageTagStatus Status, TimeSpan Elapsed, long Bytes, bool WasPresent) : PullAction;

/// <summary>What to do now, and when to look again though nothing happens (null: never).</summary>
public sealed record PullPlan(IReadOnlyList<PullAction> Actions, DateTimeOffset? LookAgainAt);

/// <summary>How one attempt ended. Exactly one of the two is set; neither when it was cancelled.</summary>
public sealed record PullOutcome(PresentImage? Image, PullFailure? Failure)
{
    public static readonly PullOutcome Cancelled = new(null, null);
}

/// <summary>How far one attempt is. Null progress: the runtime does not tell.</summary>
public readonly record struct ProgressSample(PullProgress? Progress);

/// <summary>The limits of one node's daemon.</summary>
public sealed record PullLimits
{
    public int MaxConcurrentPulls { get; init; } = 2;

    /// <summary>Questions to the runtime at one time. They take a millisecond each.</summary>
    public int MaxQuestions { get; init; } = 8;

    public long MinBytesPerSecond { get; init; } = 1024;

    /// <summary>How long a pull may stay below that rate. Zero: for ever.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan BackoffFirst { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan BackoffMost { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The node's name: it spreads the retries of many nodes.</summary>
    public string JitterSeed { get; init; } = "";
}
