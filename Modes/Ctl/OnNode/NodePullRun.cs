using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>
/// Performs what the board decides, as the daemon's sync loop does, until every image has its result; shows each moment on the way.
/// Cancelled, it stops the pulls in the runtime and returns only when they have ended; what they fetched stays under its lease.
/// </summary>
public sealed class NodePullRun(NodePullBoard board, INodeRuntime runtime, IPullCredentials credentials, TimeProvider clock)
{
    /// <summary>Without news: the elapsed time moves.</summary>
    private static readonly TimeSpan BetweenShows = TimeSpan.FromSeconds(1);

    private readonly SteadyClock _steady = new(clock);

    public async Task Run(Action<NodePullMoment> show, CancellationToken cancellationToken)
    {
        var begun = _steady.Now;
        var inbox = new SyncInbox();
        await using (inbox.ConfigureAwait(false))
        {
            var pool = new PullPool(runtime, credentials, inbox, clock);
            using var alarm = clock.CreateTimer(_ => inbox.Tell(new TimeCame()), null, BetweenShows, BetweenShows);
            while (true)
            {
                // What the table waits for is at least a second away, and the alarm comes every second.
                foreach (var action in board.Advance(_steady.Now, _steady.Step).Actions) Perform(action, pool, inbox);
                show(board.Moment(_steady.Now, begun));
                if (board.IsDone) return;
                foreach (var input in await inbox.Take(cancellationToken).ConfigureAwait(false)) board.Apply(input, _steady.Now);
            }
        }
    }

    private void Perform(PullAction action, PullPool pool, SyncInbox inbox)
    {
        switch (action)
        {
            case AskPresence question:
                pool.Ask(question);
                break;
            case StartPull start:
                pool.Start(start);
                break;
            case CancelPull cancel:
                pool.Cancel(cancel);
                break;
            case ReleaseLease lease:
                pool.Release(lease);
                break;
            case FindRuntime:
                inbox.Run(async closing =>
                {
                    await runtime.Find(closing).ConfigureAwait(false);
                    return new RuntimeAnswered([]);
                });
                break;
        }
    }
}
