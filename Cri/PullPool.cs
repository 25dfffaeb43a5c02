using System.Collections.Concurrent;

namespace KruiseImage.Cri;

/// <summary>
/// Performs the pull table's actions on the runtime: questions, pulls, their cancellation, the end of leases. Called by the sync loop; what comes of
/// each is told to the inbox, always, also of a cancelled pull. It decides nothing: slots, retries and time are the table's.
/// </summary>
public sealed class PullPool(IImageService runtime, IPullCredentials credentials, SyncInbox inbox, TimeProvider clock)
{
    private readonly ConcurrentDictionary<long, CancellationTokenSource> _pulls = new();

    public void Ask(AskPresence question) => inbox.Run(async closing =>
        new PresenceAnswered(question.Question, await runtime.Image(question.Entry.Reference, closing).ConfigureAwait(false)));

    public void Start(StartPull start)
    {
        // Entered before the work starts: a cancellation may follow at once.
        var cancel = new CancellationTokenSource();
        _pulls[start.Attempt] = cancel;
        inbox.Run(async closing =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(closing, cancel.Token);
            var attempt = new PullAttempt(start.Entry, runtime, credentials, clock, sample => inbox.Tell(new PullProgressed(start.Attempt, sample)));
            var outcome = await attempt.Run(either.Token).ConfigureAwait(false);
            _pulls.TryRemove(start.Attempt, out _);
            return new PullEnded(start.Attempt, outcome);
        });
    }

    public void Release(ReleaseLease action) => inbox.Run(async closing =>
        new LeaseReleased(action.Reference, await runtime.Release(action.Reference, action.FreesBytes, closing).ConfigureAwait(false)));

    /// <summary>Returns when the abort is on its way to the runtime.</summary>
    public void Cancel(CancelPull action)
    {
        if (_pulls.TryGetValue(action.Attempt, out var cancel)) cancel.Cancel();
    }
}
