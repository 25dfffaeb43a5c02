using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>
/// Looks on, over watches of its own, at what no moment of a cluster may show: more nodes at work for a job than its parallelism ever
/// was, a completion that is taken back or set again. When the API server goes it starts over with what there is then. What a node
/// came to for a job stands: when another job has it pull the same image again, that is not for the first one.
/// </summary>
public sealed class JobWatch : IAsyncDisposable
{
    private static readonly TimeSpan retryDelay = TimeSpan.FromMilliseconds(50);

    private sealed class SeenJob(string key)
    {
        public string Key { get; } = key;

        /// <summary>Negative until the object itself was seen: a NodeImage may own an entry, and be no job.</summary>
        public int MostAllowed { get; set; } = -1;

        public int MostActive { get; set; }

        public string Moment { get; set; } = "";

        public string? CompletionTime { get; set; }
    }

    private readonly KubeApi api;
    private readonly CancellationTokenSource end = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, SeenJob> jobs = []; // by uid
    private readonly Dictionary<string, Dictionary<string, string>> activeByNode = []; // node to (uid to what it does for it)
    private readonly Dictionary<(string Node, string Image), DateTimeOffset> succeeded = [];
    private readonly HashSet<(string Uid, string Node, string Image)> reached = [];
    private readonly List<string> taken = [];
    private readonly Task watching;

    public JobWatch(KubeApi api)
    {
        this.api = api;
        watching = Task.WhenAll(FollowAsync(Paths.AllJobs, OnJob, () => { }), FollowAsync(Paths.NodeImages, OnNodeImage, activeByNode.Clear));
    }

    /// <summary>A sentence for each thing that was seen and may never be.</summary>
    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (gate)
                return [.. taken, .. jobs.Values.Where(job => job.MostAllowed >= 0 && job.MostActive > job.MostAllowed).Select(job => $"{job.Key}: {job.MostActive} nodes at work, parallelism {job.MostAllowed}: {job.Moment}")];
        }
    }

    /// <summary>When it was first seen that the node says so of an image ("name:tag"), or null.</summary>
    public DateTimeOffset? SucceededAt(string node, string image)
    {
        lock (gate)
            return succeeded.TryGetValue((node, image), out var at) ? at : null;
    }

    public int MostActive(string uid)
    {
        lock (gate)
            return jobs.GetValueOrDefault(uid)?.MostActive ?? 0;
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await watching;
        end.Dispose();
    }

    // Without a version a watch begins with what there is.
    private async Task FollowAsync(string path, Action<string, JsonNode> on, Action begin)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                lock (gate)
                    begin();
                await foreach (var seen in api.WatchAsync(path, end.Token))
                    lock (gate)
                        if (seen.Text("type") != "ERROR")
                            on(seen.Text("type"), seen["object"]!);
                await Task.Delay(retryDelay, end.Token);
            }
            catch (Exception error) when (error is HttpRequestException or IOException)
            {
                await Task.Delay(retryDelay, CancellationToken.None); // the API server is away: that is what the faults are about
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void OnJob(string type, JsonNode job)
    {
        var seen = Seen(job["metadata"]!.Text("uid"), $"{job["metadata"]!["namespace"]}/{job["metadata"]!["name"]}");
        seen.MostAllowed = Math.Max(seen.MostAllowed, job["spec"]!["parallelism"]?.GetValue<int>() ?? 1);
        var completion = job["status"]?["completionTime"]?.GetValue<string>();
        if (seen.CompletionTime is not null && completion != seen.CompletionTime)
            taken.Add($"{seen.Key}: was over at {seen.CompletionTime}, then at {completion ?? "no time"}");
        seen.CompletionTime = completion ?? seen.CompletionTime;
    }

    private void OnNodeImage(string type, JsonNode nodeImage)
    {
        var node = nodeImage["metadata"]!.Text("name");
        activeByNode[node] = [];
        if (type == "DELETED")
            return;
        foreach (var (name, image) in nodeImage["spec"]?["images"]?.AsObject() ?? [])
            foreach (var entry in image!["tags"]!.AsArray())
                OnEntry(node, name, entry!, nodeImage["status"]?["imageStatuses"]?[name]?["tags"]?.AsArray().FirstOrDefault(tag => tag!.Text("tag") == entry!.Text("tag")));
        foreach (var uid in activeByNode[node].Keys)
        {
            var seen = Seen(uid, uid);
            var busy = activeByNode.Where(other => other.Value.ContainsKey(uid)).ToList();
            if (busy.Count <= seen.MostActive)
                continue;
            seen.MostActive = busy.Count;
            seen.Moment = $"{DateTimeOffset.UtcNow:HH:mm:ss.fff} " + string.Join(", ", busy.Select(other => $"{other.Key} {other.Value[uid]}"));
        }
    }

    private void OnEntry(string node, string name, JsonNode entry, JsonNode? status)
    {
        var isAnswered = status is not null && status.Number("version") == entry.Number("version");
        var phase = isAnswered ? status!.Text("phase") : "";
        if (phase == "Succeeded")
            succeeded.TryAdd((node, $"{name}:{entry.Text("tag")}"), DateTimeOffset.UtcNow);
        foreach (var owner in entry["ownerReferences"]?.AsArray() ?? [])
            if (phase is "Succeeded" or "Failed")
                reached.Add((owner!.Text("uid"), node, $"{name}:{entry.Text("tag")}"));
            else if (!reached.Contains((owner!.Text("uid"), node, $"{name}:{entry.Text("tag")}")))
                activeByNode[node][owner!.Text("uid")] = $"{name}:{entry.Text("tag")} version {entry.Number("version")} {(phase.Length > 0 ? phase : "not answered")}";
    }

    private SeenJob Seen(string uid, string key)
    {
        if (!jobs.TryGetValue(uid, out var seen) || (seen.Key == uid && key != uid))
            jobs[uid] = seen = new SeenJob(key) { MostActive = seen?.MostActive ?? 0, Moment = seen?.Moment ?? "" };
        return seen;
    }
}
