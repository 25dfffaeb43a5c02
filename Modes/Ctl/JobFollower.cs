using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Follows one job to its end and shows it meanwhile. It reads a feed and never asks the API server; it decides when following is
/// over and what a person should be told, not how that looks.
/// </summary>
public sealed class JobFollower(IJobFeed feed, IFollowView view, TimeProvider clock)
{
    /// <summary>Between two pictures; a screen cannot be read faster, and a log should not be written faster.</summary>
    private static readonly TimeSpan MinBetweenShows = TimeSpan.FromMilliseconds(200);

    /// <summary>Without changes: the elapsed time moves.</summary>
    private static readonly TimeSpan MaxBetweenShows = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ControllerShouldAnswer = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ServerShouldAnswer = TimeSpan.FromSeconds(3);

    private const string ServerAway = "the API server does not answer; the job goes on, and so does this when the server is back";
    private const string ControllerSilent = "no controller has answered yet: is it running? See: kubectl get pods -n kruise-system";

    private string? _hint;
    private DateTimeOffset? _awaySince;

    /// <param name="job">As read or created a moment ago.</param>
    /// <param name="timeout">Null: as long as it takes.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> Follow(ImagePullJob job, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var last = JobProgress.Of(job, [], clock.GetUtcNow());
        var outcome = FollowOutcome.Interrupted;
        try
        {
            await view.Run(async screen =>
            {
                (last, outcome) = await Watch(screen, last, timeout, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C is an answer too: what was asked for goes on, and the person is told how to find it again.
            last = Read() ?? last;
        }
        view.End(last, outcome);
        return FollowReport.ExitCodeOf(outcome);
    }

    private async Task<(JobProgress Last, FollowOutcome Outcome)> Watch(
        IFollowScreen screen, JobProgress last, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var begun = clock.GetUtcNow();
        while (true)
        {
            if (Read() is { } progress)
            {
                if (progress.Job.Metadata.Uid != last.Job.Metadata.Uid) return (last, FollowOutcome.Deleted);
                screen.Show(last = progress);
            }
            else if (feed.IsSynced)
            {
                return (last, last.Outcome ?? FollowOutcome.Deleted);
            }

            if (last.Outcome is { } outcome) return (last, outcome);
            var waited = clock.GetUtcNow() - begun;
            if (waited >= timeout) return (last, FollowOutcome.TimedOut);
            ShowHint(screen, last, waited);

            await Task.Delay(MinBetweenShows, clock, cancellationToken).ConfigureAwait(false);
            await feed.Changed(MaxBetweenShows - MinBetweenShows, cancellationToken).ConfigureAwait(false);
        }
    }

    private JobProgress? Read() => feed.Job is { } job ? JobProgress.Of(job, feed.Entries, clock.GetUtcNow()) : null;

    private void ShowHint(IFollowScreen screen, JobProgress progress, TimeSpan waited)
    {
        var now = clock.GetUtcNow();
        _awaySince = feed.IsConnected ? null : _awaySince ?? now;
        var hint = now - _awaySince >= ServerShouldAnswer ? ServerAway
            : progress.Phase == JobPhase.Pending && waited >= ControllerShouldAnswer ? ControllerSilent
            : null;
        if (hint == _hint) return;
        _hint = hint;
        screen.Hint(hint);
    }
}
