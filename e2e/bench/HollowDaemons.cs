using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>One answer to give: what a daemon says of one entry of its NodeImage.</summary>
public sealed record HollowPull(string Node, string Uid, SeenEntry Entry, int Entries, int Succeeded, bool IsFirst, DateTimeOffset Started);

/// <summary>
/// The daemons of all nodes in one process, without a runtime: one watch of all NodeImages in place of one for each, and to every new
/// version of an entry one status write, as a real daemon's after a fast pull, over a number of connections. They are also the eyes of
/// the bench: what a workload waits for is what this watch has seen.
/// </summary>
public sealed class HollowDaemons : IAsyncDisposable
{
    private sealed class NodeState(string uid)
    {
        public string Uid { get; } = uid;

        public Dictionary<string, long> Answered { get; } = [];
    }

    private readonly RawApi api;
    private readonly CancellationTokenSource end = new();
    private readonly Channel<HollowPull> answers = Channel.CreateUnbounded<HollowPull>();
    private readonly Dictionary<string, NodeState> nodes = [];
    private readonly ConcurrentDictionary<string, NodeImageEvent> known = new();
    private readonly List<Task> working = [];
    private readonly int connections;
    private readonly Random random = new(1); // asked on the task that reads the watch alone

    public HollowDaemons(RawApi api, int connections) => (this.api, this.connections) = (api, connections);

    /// <summary>Every event, on the one task that reads the watch: who listens must be quick.</summary>
    public event Action<NodeImageEvent>? Seen;

    /// <summary>The same as the server sent it.</summary>
    public event Action<ReadOnlyMemory<byte>>? LineRead;

    /// <summary>A status write was acknowledged by the server, and when.</summary>
    public event Action<HollowPull, long>? Acknowledged;

    /// <summary>How long a pull takes on the average before it is answered: between half and one and a half of it, or all would end at the same moments.</summary>
    public TimeSpan PullTime { get; set; }

    /// <summary>False: others answer, and we only look.</summary>
    public bool IsAnswering { get; set; } = true;

    /// <summary>False: a pull begins, is answered with "Pulling", and goes on for ever.</summary>
    public bool IsFinishing { get; set; } = true;

    /// <summary>The NodeImages as the watch has last shown them.</summary>
    public IReadOnlyDictionary<string, NodeImageEvent> Known => (IReadOnlyDictionary<string, NodeImageEvent>)known;

    /// <summary>How often the server ended the watch: the machine was too busy for what was asked of it.</summary>
    public int Reopened { get; private set; }

    /// <summary>Ends only when something failed, or with us.</summary>
    public Task Working { get; private set; } = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var version = (await api.ListAsync(RawApi.NodeImages + "?limit=1", cancellationToken))["metadata"]!.Text("resourceVersion");
        working.Add(WatchAsync(version));
        for (var connection = 0; connection < connections; connection++)
            working.Add(AnswerAsync());
        Working = Task.WhenAny(working).Unwrap();
    }

    /// <summary>Says how far a pull is that does not finish.</summary>
    public Task<byte[]> ReportAsync(HollowPull pull, int progress, CancellationToken cancellationToken) =>
        api.MergePatchAsync($"{RawApi.NodeImages}/{pull.Node}/status", NodeImageBodies.Status(
            pull.Uid, pull.Entry.Image, pull.Entry.Tag, pull.Entry.Version, "Pulling", progress, pull.Started, Now, [], false), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(working).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default); // whatever failed was told by Working
        end.Dispose();
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A server that is short of time ends a watch that is behind: it goes on where it was, as an informer's does.</summary>
    private async Task WatchAsync(string version)
    {
        try
        {
            while (true)
            {
                await using var stream = await api.WatchAsync(RawApi.NodeImages, version, end.Token);
                version = await FollowAsync(stream, version);
                Reopened++;
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // the bench is done with us
        }
    }

    /// <returns>The version to go on from.</returns>
    private async Task<string> FollowAsync(Stream stream, string version)
    {
        var reader = PipeReader.Create(stream);
        while (true)
        {
            var read = await reader.ReadAsync(end.Token);
            var at = TimeProvider.System.GetTimestamp();
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } newline)
            {
                var part = rest.Slice(0, newline);
                var line = part.IsSingleSegment ? part.First : part.ToArray();
                if (NodeImageEvent.Read(line, at) is { } seen)
                {
                    LineRead?.Invoke(line);
                    version = seen.ResourceVersion;
                    Observe(seen);
                }
                rest = rest.Slice(rest.GetPosition(1, newline));
            }
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                return version;
        }
    }

    private void Observe(NodeImageEvent seen)
    {
        if (seen.IsThere)
        {
            known[seen.Name] = seen;
            if (IsAnswering)
                foreach (var pull in NewPulls(seen))
                    _ = PullAsync(pull);
        }
        else
        {
            known.TryRemove(seen.Name, out _);
            nodes.Remove(seen.Name);
        }
        Seen?.Invoke(seen);
    }

    private List<HollowPull> NewPulls(NodeImageEvent seen)
    {
        if (!nodes.TryGetValue(seen.Name, out var node) || node.Uid != seen.Uid)
            nodes[seen.Name] = node = new NodeState(seen.Uid);
        List<HollowPull> pulls = [];
        foreach (var entry in seen.Entries)
        {
            if (node.Answered.GetValueOrDefault(entry.Image, -1) == entry.Version)
                continue;
            var isFirst = node.Answered.Count == 0;
            node.Answered[entry.Image] = entry.Version;
            pulls.Add(new(seen.Name, seen.Uid, entry, seen.Entries.Count, node.Answered.Count, isFirst, Now));
        }
        return pulls;
    }

    private async Task PullAsync(HollowPull pull)
    {
        if (PullTime > TimeSpan.Zero)
            await Task.Delay(PullTime * (0.5 + random.NextDouble()));
        answers.Writer.TryWrite(pull);
    }

    private async Task AnswerAsync()
    {
        try
        {
            await foreach (var pull in answers.Reader.ReadAllAsync(end.Token))
            {
                (string, int)[] counts = IsFinishing ? [("desired", pull.Entries), ("succeeded", pull.Succeeded)] : [("desired", pull.Entries), ("pulling", pull.Succeeded)];
                var body = NodeImageBodies.Status(pull.Uid, pull.Entry.Image, pull.Entry.Tag, pull.Entry.Version, IsFinishing ? "Succeeded" : "Pulling", IsFinishing ? 100 : 0,
                    pull.Started, Now, counts, IsFinishing && pull.IsFirst);
                if (await WriteAsync(pull, body))
                    Acknowledged?.Invoke(pull, TimeProvider.System.GetTimestamp());
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // the bench is done with us
        }
    }

    /// <summary>A real daemon sends one request at a time; several of ours about one NodeImage may meet, and the server gives one of them up.</summary>
    /// <returns>False when the bench took the NodeImage away meanwhile: the next one has a state of its own.</returns>
    private async Task<bool> WriteAsync(HollowPull pull, byte[] body)
    {
        while (true)
        {
            try
            {
                await api.MergePatchAsync($"{RawApi.NodeImages}/{pull.Node}/status", body, end.Token);
                return true;
            }
            catch (HttpRequestException refused) when (refused.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
            {
                if (refused.StatusCode == HttpStatusCode.NotFound || !known.TryGetValue(pull.Node, out var now) || now.Uid != pull.Uid)
                    return false;
            }
        }
    }
}

/// <summary>Waits until the watch has shown a thing of a number of nodes, and knows when it showed the first and the last of them.</summary>
public sealed class Sighting : IDisposable
{
    private readonly HollowDaemons daemons;
    private readonly Func<NodeImageEvent, bool> isIt;
    private readonly int count;
    private readonly HashSet<string> nodes = [];
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Sighting(HollowDaemons daemons, int count, Func<NodeImageEvent, bool> isIt)
    {
        (this.daemons, this.count, this.isIt) = (daemons, count, isIt);
        daemons.Seen += Look;
    }

    public long First { get; private set; }

    public long Last { get; private set; }

    public int Count => nodes.Count;

    public async Task ReachedAsync(string what, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var late = Task.Delay(deadline, cancellationToken);
        var ended = await Task.WhenAny(reached.Task, daemons.Working, late);
        if (ended == reached.Task)
            return;
        await ended; // why the hollow daemons ended, or that we were cancelled
        throw new BedException($"{what}: {nodes.Count} of {count} after {deadline.TotalSeconds:0} s");
    }

    public void Dispose() => daemons.Seen -= Look;

    private void Look(NodeImageEvent seen)
    {
        if (!isIt(seen) || !nodes.Add(seen.Name))
            return;
        if (nodes.Count == 1)
            First = seen.At;
        Last = seen.At;
        if (nodes.Count == count)
            reached.TrySetResult();
    }
}
