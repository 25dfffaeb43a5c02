using System.CommandLine;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>"ctl status JOB|LIST…": how far it is, with bars, rates and the time that is left; with --watch until it is over.</summary>
public static class StatusCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("JOB") { Arity = ArgumentArity.OneOrMore, Description = JobTargets.Description }.NamesOf(CtlKinds.Jobs).NamesOf(CtlKinds.Lists);
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on until every node has the images or failed, as ctl wait does." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml);
        var command = new DocumentedCommand("status", "Shows how far jobs or lists are: bars, rates, time left.")
        {
            Notes = """
                Rates and what is left are of the bytes that come. A daemon of an older version tells percent alone, and is shown in percent per
                second; of a runtime that tells neither (CRI-O) there is the time alone.
                """,
            Examples = """
                kruise-image ctl status nginx-1-9-1-x7k2p
                # look on until it is over
                kruise-image ctl status list/web --watch
                # which node holds the job up?
                kruise-image ctl status nginx-1-9-1-x7k2p -o json | jq '.pulls | max_by(.secondsLeft)'
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(names);
        command.Add(watch);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var words = JobTargets.Parse(parsed.GetValue(names)!);
            var format = parsed.GetValue(output);
            if (parsed.GetValue(watch) && format == OutputFormat.Yaml) throw CommandException.Usage("--watch prints bars, lines or -o json: YAML has no lines");
            using var cluster = Cluster.Connect(parsed);
            var terminal = Terminal.Of(parsed);
            var targets = await new JobTargets(cluster).Find(words, cancellationToken).ConfigureAwait(false);
            return parsed.GetValue(watch)
                ? await new FollowVerb(cluster, terminal, format, TimeProvider.System).Run(targets, null, cancellationToken).ConfigureAwait(false)
                : await new StatusVerb(cluster, terminal, format, TimeProvider.System).Run(targets, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>One look at jobs and lists, as bars, as tables, or as JSON.</summary>
public sealed class StatusVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    public async Task<int> Run(IReadOnlyList<IKubeObject> targets, CancellationToken cancellationToken)
    {
        await using var feed = await ListedFeed.Read(cluster, targets, terminal.Note, clock, cancellationToken).ConfigureAwait(false);
        var now = clock.GetUtcNow();
        var progress = FollowProgress.Begin(targets, now).Next(feed, now);
        if (format != OutputFormat.Table)
            terminal.Print(RawObject.Print(writer => JsonSerializer.Serialize(writer, StatusJson.Of(progress), CtlJson.Default.StatusJson), format));
        else if (terminal.IsScreen) terminal.Open().Write(LiveView.PictureOf(progress, terminal.Width, null));
        else terminal.Write(Tables(progress));
        return ExitCode.Done;
    }

    private static Description Tables(FollowProgress progress)
    {
        var rows = progress.Rows.Select(row => row.Progress).ToList();
        var description = new Description();
        description.Field("Done", $"{rows.Sum(row => row.Done)} of {rows.Sum(row => row.Status.Desired)} pulls, {rows.Sum(row => row.Status.Failed)} of them failed");
        description.Add("Jobs", TopTables.JobsOf(rows), "none");
        description.Add("Pulls", TopTables.PullsOf(rows.SelectMany(row => row.Pulling), progress.Now), "none under way");
        return description;
    }
}

/// <summary>What "status -o json" prints. A promise to scripts: fields may be added, none changes its meaning.</summary>
/// <param name="Jobs">One for each job, and for each image of a list.</param>
/// <param name="Pulls">Under way.</param>
public sealed record StatusJson(DateTimeOffset Time, List<JobProgressJson> Jobs, List<PullJson> Pulls)
{
    public static StatusJson Of(FollowProgress progress) => new(
        progress.Now, [.. progress.Rows.Select(row => JobProgressJson.Of(row.Progress))],
        [.. progress.Rows.SelectMany(row => row.Progress.Pulling).Select(pull => PullJson.Of(pull, progress.Now))]);
}

/// <summary>What lists told at one moment, in the shape in which a follower reads what watches tell. It never changes.</summary>
public sealed class ListedFeed : IFollowFeed
{
    private readonly List<ImagePullJob> _jobs = [];
    private readonly List<ImageListPullJob> _lists = [];
    private readonly Dictionary<string, List<PullEntry>> _entries = new(StringComparer.Ordinal);

    public bool IsSynced => true;

    public bool IsConnected => true;

    /// <param name="note">Told when NodeImages may not be read: the jobs alone are shown then.</param>
    public static async Task<ListedFeed> Read(
        Cluster cluster, IReadOnlyList<IKubeObject> targets, Action<string> note, TimeProvider clock, CancellationToken cancellationToken)
    {
        var feed = new ListedFeed();
        feed._jobs.AddRange(targets.OfType<ImagePullJob>());
        feed._lists.AddRange(targets.OfType<ImageListPullJob>());
        foreach (var place in feed._lists.Select(list => list.Metadata.Namespace).Distinct())
        {
            var jobs = await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, new() { Namespace = place }, cancellationToken).ConfigureAwait(false);
            feed._jobs.AddRange(jobs.Where(job => feed._lists.Exists(list => ListDescription.Owns(list, job)) && !feed._jobs.Exists(known => known.Metadata.Uid == job.Metadata.Uid)));
        }
        var query = targets is [ImagePullJob { Spec: var spec }] ? NodeImageQuery.For(spec) : new();
        var probe = await cluster.Client.List(Resources.NodeImages, query with { Limit = 1 }, cancellationToken).ConfigureAwait(false);
        if (probe.Error is ApiError.Forbidden or ApiError.NotFound)
        {
            note($"single nodes are not shown: {probe.Message}");
            return feed;
        }
        await cluster.ReadPages(
            Resources.NodeImages, CtlKinds.Nodes.Kind, query, feed._entries.Clear, page => feed.Take(page, clock.GetUtcNow()), cancellationToken).ConfigureAwait(false);
        return feed;
    }

    public ImagePullJob? Job(string? @namespace, string name) => _jobs.Find(job => job.Metadata.Namespace == @namespace && job.Metadata.Name == name);

    public ImageListPullJob? List(string? @namespace, string name) => _lists.Find(list => list.Metadata.Namespace == @namespace && list.Metadata.Name == name);

    public IEnumerable<ImagePullJob> JobsOf(ImageListPullJob list) => _jobs.Where(job => ListDescription.Owns(list, job));

    public IReadOnlyCollection<PullEntry> Entries(string uid) => _entries.GetValueOrDefault(uid) ?? [];

    public Task Changed(TimeSpan atMost, CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => default;

    private void Take(IEnumerable<NodeImage> page, DateTimeOffset now)
    {
        foreach (var entry in page.SelectMany(PullEntry.Of))
        {
            foreach (var owner in entry.Spec.OwnerReferences ?? [])
            {
                if (owner.Uid is not { } uid || !_jobs.Exists(job => job.Metadata.Uid == uid)) continue;
                if (!_entries.TryGetValue(uid, out var entries)) _entries[uid] = entries = [];
                entries.Add(entry.Measured(null, now));
            }
        }
    }
}
