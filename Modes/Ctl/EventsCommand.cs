using System.CommandLine;
using System.Text.Json;
using System.Threading.Channels;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl events JOB|LIST|NODE…": what was said about them, in the order of time; with --watch what is said from now on, too.</summary>
public static class EventsCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("NAME")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "Jobs, lists or nodes; job/NAME, list/NAME or node/NAME when it matters which.",
        }.NamesOf(CtlKinds.Jobs).NamesOf(CtlKinds.Lists);
        var watch = new Option<bool>("--watch", "-w", "-f") { Description = "Go on with what is said from now on, until Ctrl-C." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml);
        var command = new DocumentedCommand("events", "Shows the events of jobs, lists or nodes, in the order of time.")
        {
            Notes = "Of a job: its own events, and what its nodes' daemons say of its image. Of a list: those of its jobs as well. A cluster keeps events for an hour.",
            Examples = """
                kruise-image ctl events nginx-1-9-1-x7k2p
                # go on as the roll-out goes on
                kruise-image ctl events list/web -f
                kruise-image ctl events node-7
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(names);
        command.Add(watch);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var cluster = Cluster.Connect(parsed);
            var verb = new EventsVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            return await verb.Run(parsed.GetValue(names)!, parsed.GetValue(watch), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Reads the events of each kind, keeps those of the subjects, writes them.</summary>
public sealed class EventsVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    /// <summary>Events with everything, for JSON.</summary>
    private static readonly Resource<RawObject> RawEvents = new("", "v1", "events", true, CtlJson.Default.RawObject, CtlJson.Default.ObjectListRawObject);

    private const string Kind = "Event";

    private sealed record Told(RawObject Raw, Event Event)
    {
        public DateTimeOffset? Time => EventTable.Time(Event);
    }

    public async Task<int> Run(IEnumerable<string> names, bool watch, CancellationToken cancellationToken)
    {
        var subjects = await EventSubjects.Find(cluster, names, cancellationToken).ConfigureAwait(false);
        return watch ? await Follow(subjects, cancellationToken).ConfigureAwait(false) : await List(subjects, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Events of jobs and lists are in their namespace, those of NodeImages in "default".</summary>
    private IEnumerable<ListQuery> Queries() =>
    [
        new() { Namespace = cluster.Namespace, FieldSelector = $"involvedObject.kind={CtlKinds.Jobs.Kind}" },
        new() { Namespace = cluster.Namespace, FieldSelector = $"involvedObject.kind={CtlKinds.Lists.Kind}" },
        new() { Namespace = "default", FieldSelector = $"involvedObject.kind={CtlKinds.Nodes.Kind}" },
    ];

    private async Task<int> List(EventSubjects subjects, CancellationToken cancellationToken)
    {
        var events = new List<Told>();
        foreach (var query in Queries())
        {
            var former = events.Count;
            await cluster.ReadPages(
                RawEvents, Kind, query, () => events.RemoveRange(former, events.Count - former),
                page => events.AddRange(page.Select(Read).Where(told => subjects.Has(told.Event))), cancellationToken).ConfigureAwait(false);
        }
        var sorted = events.OrderBy(told => told.Time).ToList();
        if (format != OutputFormat.Table) terminal.Print(RawObject.PrintList(sorted.Select(told => told.Raw), Kind, format));
        else if (sorted.Count == 0) terminal.Note("nothing was said about them in the last hour");
        else terminal.Write(EventTable.OfAll(sorted.Select(told => told.Event), clock.GetUtcNow()));
        return ExitCode.Done;
    }

    /// <summary>One line an event, JSON or not: nothing that came before can be aligned with what will come.</summary>
    private async Task<int> Follow(EventSubjects subjects, CancellationToken cancellationToken)
    {
        var told = Channel.CreateUnbounded<Told>();
        var informers = Queries().Select(query => new ScopedInformer<RawObject>(cluster.Client, RawEvents, query, clock, new Random(), NullLoggerFactory.Instance)).ToList();
        foreach (var informer in informers)
        {
            informer.Store.Changed += (before, after) =>
            {
                if (after is null) return; // it was an hour old
                var read = Read(after);
                var known = before is null ? null : Read(before).Event;
                if (subjects.Has(read.Event) && (known?.Count, known?.Message) != (read.Event.Count, read.Event.Message)) told.Writer.TryWrite(read);
            };
            informer.Start();
        }
        try
        {
            while (informers.Exists(informer => !informer.Store.IsSynced)) await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancellationToken).ConfigureAwait(false);
            // What was there before comes in the order of the store; what comes now, in the order of time.
            var former = new List<Told>();
            while (told.Reader.TryRead(out var read)) former.Add(read);
            foreach (var read in former.OrderBy(read => read.Time)) Say(read);
            await foreach (var read in told.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) Say(read);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted; // the only way to end it
        }
        finally
        {
            informers.ForEach(informer => informer.Dispose());
        }
        return ExitCode.Done;
    }

    private void Say(Told told)
    {
        if (format == OutputFormat.Json) terminal.Say(told.Raw.PrintLine(Kind));
        else if (format == OutputFormat.Yaml) terminal.Print($"---\n{told.Raw.Print(Kind, format)}");
        else terminal.Say(EventTable.Line(told.Event, terminal.IsScreen ? clock.LocalTimeZone : TimeZoneInfo.Utc));
    }

    private static Told Read(RawObject raw) => new(raw, raw.Json.Deserialize(CrdJson.Default.Event) ?? new());
}
