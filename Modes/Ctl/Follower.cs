using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Follows jobs and lists to their end and shows them meanwhile. It reads a feed and never asks the API server; it decides when
/// following is over and what a person should be told, not how that looks.
/// </summary>
public sealed class Follower(IFollowFeed feed, IFollowView view, TimeProvider clock)
{
    /// <summary>Between two pictures; a screen cannot be read faster, and a log should not be written faster.</summary>
    private static readonly TimeSpan MinBetweenShows = TimeSpan.FromMilliseconds(200);

    /// <summary>Without changes: the elapsed time moves.</summary>
    private static readonly TimeSpan MaxBetweenShows = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ControllerShouldAnswer = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ServerShouldAnswer = TimeSpan.FromSeconds(3);

    private const string ServerAway = "the API server does not answer; what was asked for goes on, and so does this when the server is back";
    private const string ControllerSilent = $"no controller has answered yet: is it running? See: kubectl get pods -n {ProductNames.Namespace}";

    private string? _hint;
    private DateTimeOffset? _awaySince;

    /// <param name="targets">Jobs and lists, as read or created a moment ago.</param>
    /// <param name="timeout">Null: as long as it takes.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> Follow(IReadOnlyList<IKubeObject> targets, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var last = FollowProgress.Begin(targets, clock.GetUtcNow());
        var outcome = FollowOutcome.Interrupted;
        try
        {
            await view.Run(async screen =>
            {
                var begun = clock.GetUtcNow();
                while (true)
                {
                    last = last.Next(feed, clock.GetUtcNow());
                    if (feed.IsSynced) screen.Show(last);
                    var waited = clock.GetUtcNow() - begun;
                    outcome = last.Outcome ?? (waited >= timeout ? FollowOutcome.TimedOut : FollowOutcome.Interrupted);
                    if (outcome != FollowOutcome.Interrupted) return;
                    ShowHint(screen, last, waited);

                    await Task.Delay(MinBetweenShows, clock, cancellationToken).ConfigureAwait(false);
                    await feed.Changed(MaxBetweenShows - MinBetweenShows, cancellationToken).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C is an answer too: what was asked for goes on, and the person is told how to find it again.
            last = last.Next(feed, clock.GetUtcNow());
            outcome = FollowOutcome.Interrupted;
        }
        view.End(last, outcome);
        return FollowReport.ExitCodeOf(outcome);
    }

    private void ShowHint(IFollowScreen screen, FollowProgress progress, TimeSpan waited)
    {
        var now = clock.GetUtcNow();
        _awaySince = feed.IsConnected ? null : _awaySince ?? now;
        var hint = now - _awaySince >= ServerShouldAnswer ? ServerAway
            : waited >= ControllerShouldAnswer && progress.Rows.All(row => row.Progress.Phase == JobPhase.Pending) ? ControllerSilent
            : null;
        if (hint == _hint) return;
        _hint = hint;
        screen.Hint(hint);
    }
}
