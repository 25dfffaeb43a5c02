using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>Following a job as "pull --wait" and "wait" both do it: the view that fits the output, the feed that fits the rights.</summary>
public sealed class FollowVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    /// <returns>The exit code.</returns>
    public async Task<int> Run(ImagePullJob job, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        IFollowView view = format == OutputFormat.Json ? new JsonLinesView(terminal)
            : terminal.IsScreen ? new LiveView(terminal)
            : new LinesView(terminal);
        await using var feed = await JobFeed.Open(cluster, job, terminal.Note, clock, cancellationToken).ConfigureAwait(false);
        return await new JobFollower(feed, view, clock).Follow(job, timeout, cancellationToken).ConfigureAwait(false);
    }
}
