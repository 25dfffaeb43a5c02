using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>Following jobs and lists as "pull --wait" and "wait" both do it: the view that fits the output, the feed that fits the rights.</summary>
public sealed class FollowVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    /// <param name="targets">Jobs and lists.</param>
    /// <returns>The exit code: that of the worst.</returns>
    public async Task<int> Run(IReadOnlyList<IKubeObject> targets, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        IFollowView view = format == OutputFormat.Json ? new JsonLinesView(terminal)
            : terminal.IsScreen ? new LiveView(terminal)
            : new LinesView(terminal);
        await using var feed = await FollowFeed.Open(cluster, targets, terminal.Note, clock, cancellationToken).ConfigureAwait(false);
        return await new Follower(feed, view, clock).Follow(targets, timeout, cancellationToken).ConfigureAwait(false);
    }
}
