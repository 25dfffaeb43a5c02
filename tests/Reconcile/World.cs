using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.NodeImages;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>
/// A cluster in memory with the production board and planners, one thread and a clock that tests move. It executes plans as the
/// API server would: JSON Patch with its tests, generation on a spec change, status merged.
/// </summary>
public sealed class World
{
    private readonly SortedSet<string> _jobKeys = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _nodeKeys = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(DateTimeOffset At, string Kind, string Key), bool> _timers = [];
    private int _uids;

    public World() => Board = new JobBoard(Nodes, NodeImages, key => _jobKeys.Add(key), key => _nodeKeys.Add(key));

    public FakeLister<Node> Nodes { get; } = new();
    public FakeLister<NodeImage> NodeImages { get; } = new();
    public FakeLister<ImagePullJob> Jobs { get; } = new();
    public JobBoard Board { get; private set; }
    public DateTimeOffset Now { get; private set; } = new(2026, 11, 25, 0, 0, 0, TimeSpan.Zero);
    public List<RecordEvent> Events { get; } = [];

    /// <summary>Writes to the API since the test last cleared it.</summary>
    public List<PlanAction> Writes { get; } = [];

    public World WithNodes(params string[] names)
    {
        foreach (var name in names) SetNode(name, true, []);
        Settle();
        return this;
    }

    public void SetNode(string name, bool ready, Dictionary<string, string> labels)
    {
        var uid = Nodes.TryGet(name, out var known) ? known.Metadata.Uid : $"node-{++_uids}";
        var node = new Node { Metadata = new ObjectMeta { Name = name, Uid = uid, Labels = labels }, Status = new NodeStatus { Ready = ready } };
        var before = Nodes.Set(name, node);
        Board.OnNode(before, node, Now);
    }

    public void DeleteNode(string name) => Board.OnNode(Nodes.Set(name, null), null, Now);

    public ImagePullJob CreateJob(string name, ImagePullJobSpec spec)
    {
        var job = new ImagePullJob
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = name, Uid = $"job-{++_uids}", ResourceVersion = "1", Generation = 1, CreationTimestamp = Now },
            Spec = spec,
        };
        Accept(job);
        return job;
    }

    public void EditJob(string name, Func<ImagePullJobSpec, ImagePullJobSpec> edit)
    {
        var job = Job(name);
        Accept(job with { Spec = edit(job.Spec), Metadata = Bump(job.Metadata, true) });
    }

    public void DeleteJob(string name)
    {
        var job = Jobs.Set($"default/{name}", null);
        if (job is not null) Board.OnJob(job, null, Now);
    }

    /// <summary>A deletion that a finalizer holds up.</summary>
    public void BeginDeletion(string name)
    {
        var job = Job(name);
        Accept(job with { Metadata = Bump(job.Metadata, false) with { DeletionTimestamp = Now } });
    }

    public ImagePullJob Job(string name) => Jobs.TryGet($"default/{name}", out var job) ? job : throw new InvalidOperationException($"no job {name}");

    public NodeImage NodeImage(string name) => NodeImages.TryGet(name, out var nodeImage) ? nodeImage : throw new InvalidOperationException($"no NodeImage {name}");

    public ImageTagSpec? Entry(string node, string image = "nginx", string tag = "1") => NodeImages.TryGet(node, out var found) ? found.FindEntry(image, tag) : null;

    /// <summary>Nodes whose spec asks for the image, in order.</summary>
    public string[] NodesWith(string image = "nginx", string tag = "1") =>
        [.. NodeImages.List().Where(nodeImage => nodeImage.FindEntry(image, tag) is not null).Select(nodeImage => nodeImage.Metadata.Name!)];

    public void EditNodeImage(string name, Func<NodeImageSpec, NodeImageSpec> edit)
    {
        var nodeImage = NodeImage(name);
        Accept(nodeImage with { Spec = edit(nodeImage.Spec ?? new NodeImageSpec()), Metadata = Bump(nodeImage.Metadata, true) });
    }

    /// <summary>The daemon's answer to the present version of an entry.</summary>
    public void Report(string node, string phase, string? reason = null, string image = "nginx", string tag = "1", string imageID = "nginx@sha256:aa")
    {
        var nodeImage = NodeImage(node);
        var entry = nodeImage.FindEntry(image, tag) ?? throw new InvalidOperationException($"{node} has no entry {image}:{tag}");
        var finished = PullPhase.IsFinished(phase);
        var status = new ImageTagStatus
        {
            Tag = tag,
            Phase = phase,
            Version = entry.Version ?? 0,
            Reason = reason,
            Message = reason,
            StartTime = Now,
            CompletionTime = finished ? Now : null,
            ImageID = phase == PullPhase.Succeeded ? imageID : null,
        };
        var images = new Dictionary<string, ImageStatus>(nodeImage.Status?.ImageStatuses ?? []);
        var others = images.TryGetValue(image, out var known) ? known.Tags!.Where(other => other.Tag != tag) : [];
        images[image] = new ImageStatus { Tags = [.. others, status] };
        Accept(nodeImage with { Status = new NodeImageStatus { ImageStatuses = images }, Metadata = Bump(nodeImage.Metadata, false) });
    }

    /// <summary>Time passes, and every timer on the way is heard.</summary>
    public void Advance(TimeSpan span)
    {
        var until = Now + span;
        Settle();
        while (_timers.Count > 0 && _timers.First().Key.At is var at && at <= until)
        {
            if (at > Now) Now = at;
            foreach (var timer in _timers.Keys.TakeWhile(timer => timer.At <= Now).ToList())
            {
                _timers.Remove(timer);
                (timer.Kind == "job" ? _jobKeys : _nodeKeys).Add(timer.Key);
            }

            Settle();
        }

        Now = until;
    }

    /// <summary>A new leader: the same objects, books made afresh.</summary>
    public void Restart()
    {
        _jobKeys.Clear();
        _nodeKeys.Clear();
        _timers.Clear();
        Board = new JobBoard(Nodes, NodeImages, key => _jobKeys.Add(key), key => _nodeKeys.Add(key));
        foreach (var job in Jobs.List()) Board.OnJob(null, job, Now);
        foreach (var node in Nodes.List()) Board.OnNode(null, node, Now);
        foreach (var nodeImage in NodeImages.List()) Board.OnNodeImage(null, nodeImage, Now);
    }

    /// <summary>Reconciles until nothing is left to do.</summary>
    public void Settle()
    {
        for (var steps = 0; _jobKeys.Count + _nodeKeys.Count > 0; steps++)
        {
            Assert.True(steps < 100_000, "the reconcilers never come to rest");
            if (_jobKeys.Count > 0) ReconcileJob(Pop(_jobKeys));
            else ReconcileNode(Pop(_nodeKeys));
        }
    }

    /// <summary>What the reconcilers would still do, if every object were looked at again now.</summary>
    public IEnumerable<PlanAction> PendingActions() =>
        Jobs.List().Select(job => Board.PlanJob($"default/{job.Metadata.Name}", Now)).Concat(Nodes.List().Select(node => PlanNode(node.Metadata.Name!)))
            .SelectMany(plan => plan?.Actions ?? []);

    private static string Pop(SortedSet<string> keys)
    {
        var key = keys.Min!;
        keys.Remove(key);
        return key;
    }

    private void ReconcileJob(string key)
    {
        if (Board.PlanJob(key, Now) is not { } plan) return;
        foreach (var action in plan.Actions) Perform(action);
        Requeue("job", key, plan);
    }

    private Plan? PlanNode(string name) =>
        NodeImageView.Read(name, Nodes, NodeImages, Board) is { } view ? NodeImagePlanner.Plan(view, Now) : null;

    private void ReconcileNode(string name)
    {
        if (PlanNode(name) is not { } plan) return;
        foreach (var action in plan.Actions) Perform(action);
        Requeue("node", name, plan);
    }

    private void Requeue(string kind, string key, Plan plan)
    {
        if (plan.RequeueAfter is { } after) _timers[(Now + (after > TimeSpan.Zero ? after : TimeSpan.FromMilliseconds(1)), kind, key)] = true;
    }

    private void Perform(PlanAction action)
    {
        if (action is CreateNodeImage or DeleteNodeImage or PatchNodeImage or PatchJobStatus or KruiseImage.Reconcile.DeleteJob) Writes.Add(action);
        switch (action)
        {
            case CreateNodeImage create:
                Accept(create.NodeImage with { Metadata = create.NodeImage.Metadata with { Uid = $"nodeimage-{++_uids}", Generation = 1, ResourceVersion = "1" } });
                break;
            case DeleteNodeImage delete:
                Board.OnNodeImage(NodeImages.Set(delete.Name, null), null, Now);
                break;
            case PatchNodeImage patch:
                Patch(patch);
                break;
            case PatchJobStatus patch:
                var job = Job(patch.Name);
                Assert.Equal(job.Metadata.ResourceVersion, patch.ResourceVersion);
                Board.NoteStatusWrite($"default/{patch.Name}", patch.Status, Now);
                Accept(job with { Status = RoundTrip(patch.Status, CrdJson.Default.ImagePullJobStatus), Metadata = Bump(job.Metadata, false) });
                break;
            case KruiseImage.Reconcile.DeleteJob delete:
                DeleteJob(delete.Name);
                break;
            case DispatchNodes dispatch:
                Board.Dispatch(dispatch.JobUid, dispatch.Slots, Now);
                break;
            case HoldSilentNodes hold:
                Board.HoldSilent(hold.JobUid, hold.Slots, Now);
                break;
            case StartRound round:
                Board.StartRound(round.JobUid, round.Slots, Now);
                break;
            case RecordEvent record:
                Events.Add(record);
                break;
        }
    }

    private void Patch(PatchNodeImage patch)
    {
        var before = NodeImage(patch.Name);
        var document = JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(before, CrdJson.Default.NodeImage))!;
        var patched = JsonPatchApplier.Apply(document, patch.Patch);
        Assert.NotNull(patched); // the view was current, so its tests hold
        var after = patched.Deserialize(CrdJson.Default.NodeImage)!;
        var specChanged = !JsonNode.DeepEquals(document["spec"], patched["spec"]);
        Accept(after with { Metadata = Bump(after.Metadata, specChanged) });
    }

    private void Accept(NodeImage nodeImage) => Board.OnNodeImage(NodeImages.Set(nodeImage.Metadata.Name!, nodeImage), nodeImage, Now);

    private void Accept(ImagePullJob job) => Board.OnJob(Jobs.Set($"default/{job.Metadata.Name}", job), job, Now);

    private static ObjectMeta Bump(ObjectMeta metadata, bool specChanged) => metadata with
    {
        ResourceVersion = (long.Parse(metadata.ResourceVersion!) + 1).ToString(),
        Generation = metadata.Generation + (specChanged ? 1 : 0),
    };

    private static T RoundTrip<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(value, type), type)!;
}
