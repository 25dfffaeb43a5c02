using System.CommandLine;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Spectre.Console;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>"ctl top": the pulls of the whole cluster as they go on: jobs, the longest pulls with rate and time left, failing reasons.</summary>
public static class TopCommand
{
    public static Command Create()
    {
        var once = new Option<bool>("--once") { Description = "Print what is going on now, and end; so it does when the output is not a terminal." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json);
        var command = new DocumentedCommand("top", "Shows the pulls of the whole cluster as they go on.")
        {
            Notes = """
                Rates are of the bytes that came in the last half minute. A daemon of an older version tells percent alone: it is shown in percent
                per second, and is not in the sums. A pull of a second or two is counted, but too short for a rate.
                -o json prints a line each second, until Ctrl-C; with --once a single one.
                """,
            Examples = """
                kruise-image ctl top
                # which reasons do pulls fail for, all over the cluster?
                kruise-image ctl top --once -o json | jq '.failures'
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(once);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var cluster = Cluster.Connect(parsed);
            var verb = new TopVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            return await verb.Run(parsed.GetValue(once), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Reads once, or follows until Ctrl-C, and shows the board once a second.</summary>
public sealed class TopVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    private static readonly TimeSpan BetweenShows = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ServerShouldAnswer = TimeSpan.FromSeconds(3);
    private const string ServerAway = "the API server does not answer: this is how it was last";
    private const string NotThereYet = "reading the NodeImages";

    public async Task<int> Run(bool once, CancellationToken cancellationToken)
    {
        if (once || (format == OutputFormat.Table && !terminal.IsScreen))
        {
            var view = await Read(cancellationToken).ConfigureAwait(false);
            if (format == OutputFormat.Json) terminal.Say(Line(view));
            else terminal.Write(TopTables.Of(view));
            return ExitCode.Done;
        }

        // A refusal is said at once, and not tried again and again behind an empty screen.
        await Probe(Resources.NodeImages, CtlKinds.Nodes.Kind, cancellationToken).ConfigureAwait(false);
        await Probe(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, cancellationToken).ConfigureAwait(false);
        var board = new TopBoard();
        using var feed = new TopFeed(cluster.Client, board, clock);
        feed.Start();
        try
        {
            if (format == OutputFormat.Json) await Follow(feed, _ => terminal.Say(Line(board.View(clock.GetUtcNow()))), cancellationToken).ConfigureAwait(false);
            else await Live(feed, board, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C is the way out; what was seen last stays on the screen.
        }
        return ExitCode.Interrupted;
    }

    /// <summary>From lists, page by page: no NodeImage is kept.</summary>
    private async Task<TopView> Read(CancellationToken cancellationToken)
    {
        var board = new TopBoard();
        await cluster.ReadPages(Resources.NodeImages, CtlKinds.Nodes.Kind, new(), () => board = new(), page =>
        {
            foreach (var node in page) board.OnNode(null, node, clock.GetUtcNow());
        }, cancellationToken).ConfigureAwait(false);
        foreach (var job in await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, new(), cancellationToken).ConfigureAwait(false)) board.OnJob(null, job);
        return board.View(clock.GetUtcNow());
    }

    private async Task Probe<T>(Resource<T> resource, string kind, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var page = await cluster.Client.List(resource, new() { Limit = 1 }, cancellationToken).ConfigureAwait(false);
        if (!page.IsOk) throw Cluster.RefusalOf(page, kind);
    }

    private Task Live(TopFeed feed, TopBoard board, CancellationToken cancellationToken)
    {
        var console = terminal.Open();
        return console.Live(new Text(NotThereYet, Terminal.StyleOf(Tone.Faint))).Overflow(VerticalOverflow.Crop).AutoClear(false).StartAsync(context => Follow(feed, hint =>
        {
            Terminal.FollowSize(console);
            context.UpdateTarget(TopFrame.Of(board.View(clock.GetUtcNow()), console.Profile.Width, console.Profile.Height, hint));
        }, cancellationToken));
    }

    private async Task Follow(TopFeed feed, Action<string?> show, CancellationToken cancellationToken)
    {
        DateTimeOffset? awaySince = null;
        while (true)
        {
            var now = clock.GetUtcNow();
            awaySince = feed.IsConnected ? null : awaySince ?? now;
            if (feed.IsSynced) show(now - awaySince >= ServerShouldAnswer ? ServerAway : null);
            await Task.Delay(feed.IsSynced ? BetweenShows : BetweenShows / 10, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string Line(TopView view) => JsonSerializer.Serialize(view.ToJson(), CtlJson.Default.TopJson);
}
