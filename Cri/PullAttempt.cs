using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>
/// One attempt at one image: a lease, credentials, the PullImage call with each of them, the image's digest; beside it the reading of
/// progress. Run by the pull pool. It decides nothing about retries or time: it ends with an outcome, or by cancellation.
/// </summary>
internal sealed class PullAttempt(PullEntry entry, IImageService runtime, IPullCredentials credentials, TimeProvider clock, Action<ProgressSample> report)
{
    /// <summary>The first look comes late enough that a fast pull is never looked at.</summary>
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromSeconds(1);

    public async Task<PullOutcome> Run(CancellationToken cancellationToken)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = WatchProgress(watching.Token);
        try
        {
            return await Pull(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return PullOutcome.Cancelled;
        }
        finally
        {
            await watching.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
        }
    }

    /// <summary>Every credential that matches, then none: a registry may have the image for everybody and refuse a stale password.</summary>
    private async Task<PullOutcome> Pull(CancellationToken cancellationToken)
    {
        PullFailure? told = null, unread = null;
        var lease = await runtime.Hold(entry.Reference, entry.Timeout, cancellationToken).ConfigureAwait(false);
        await foreach (var credential in credentials.For(entry, failure => unread = failure, cancellationToken).ConfigureAwait(false))
        {
            var answer = await runtime.Pull(entry.Reference, credential, entry.SandboxConfig, lease, cancellationToken).ConfigureAwait(false);
            if (answer.Failure is null) return await Describe(answer.Value!, cancellationToken).ConfigureAwait(false);

            var failure = answer.Failure.Without(credential);
            // "Not found" with a good credential says more than "who are you" without one.
            if (told is null || told.Reason == PullReason.Auth) told = failure;
            if (failure.Reason is not (PullReason.Auth or PullReason.NotFound)) return new PullOutcome(null, failure);
        }
        // A refusal is final, but not while the right secret may be one that could not be read.
        return new PullOutcome(null, unread ?? told);
    }

    /// <summary>PullImage answers with the runtime's own ID; the digest and the size come from asking for the image.</summary>
    private async Task<PullOutcome> Describe(string imageRef, CancellationToken cancellationToken)
    {
        var image = await runtime.Image(entry.Reference, cancellationToken).ConfigureAwait(false);
        return new PullOutcome(image.Value ?? new PresentImage(imageRef, 0), null);
    }

    private async Task WatchProgress(CancellationToken cancellationToken)
    {
        try
        {
            var reader = runtime.ProgressOf(entry.CanonicalName, entry.Tag, clock.GetUtcNow());
            using var timer = new PeriodicTimer(ProgressPeriod, clock);
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                if (reader is null || await reader.Read(cancellationToken).ConfigureAwait(false) is not { Failure: null } read) report(new ProgressSample(null));
                else if (read.Value is { } progress) report(new ProgressSample(progress));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return; // the pull ended first
        }
    }
}
