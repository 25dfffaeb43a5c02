using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImageListPullJobs;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Reconcile.NodeImages;
using KruiseImage.Reconcile.SecretCopies;
using KruiseImage.Sim.Api;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>
/// A cluster in memory with the production board and planners, one thread and a clock that tests move. It executes plans as the
/// API server would: JSON Patch with its tests, generation on a spec change, status merged.
/// </summary>
public sealed partial class World
{
    private readonly SortedSet<string> _jobKeys = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _nodeKeys = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _secretKeys = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Secret> _sources = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _followed = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(DateTimeOffset At, string Kind, string Key), bool> _timers = [];
    private int _uids;

    public World() => OpenBooks();

    public FakeLister<Node> Nodes { get; } = new();
    public FakeLister<NodeImage> NodeImages { get; } = new();
    public FakeLister<ImagePullJob> Jobs { get; } = new();
    public FakeLister<Secret> Copies { get; } = new();
    public JobBoard Board { get; private set; } = null!;
    public SecretBoard Secrets { get; private set; } = null!;

    /// <summary>Whether watches on secrets tell anything; false: as if the server refused them.</summary>
    public bool CanReadSecrets { get; set; } = true;

    /// <summary>The source secrets that are watched now.</summary>
    public IReadOnlyCollection<string> FollowedSecrets => _followed;

    public DateTimeOffset Now { get; private set; } = new(2026, 11, 25, 0, 0, 0, TimeSpan.Zero);
    public List<RecordEvent> Events { get; } = [];

    /// <summary>By object, reason and subject, as the server would keep them.</summary>
    public Dictionary<(string Name, string Reason, string Subject), RecordTotal> Totals { get; } = [];

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

    public ImagePullJob CreateJob(string name, ImagePullJobSpec spec, string @namespace = "default")
    {
        var job = new ImagePullJob
        {
            Metadata = new ObjectMeta { Namespace = @namespace, Name = name, Uid = $"job-{++_uids}", ResourceVersion = "1", Generation = 1, CreationTimestamp = Now },
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

    /// <summary>As the server deletes: at once, or when the last finalizer is gone.</summary>
    public void DeleteJob(string name)
    {
        if (!Jobs.TryGet($"default/{name}", out var job)) return;
        if (job.Metadata.Finalizers is { Count: > 0 }) BeginDeletion(name);
        else Remove(job);
    }

    public void SetSecret(string key, Secret? secret)
    {
        _sources.Remove(key, out _);
        if (secret is not null) _sources[key] = secret;
        if (_followed.Contains(key) && CanReadSecrets) Secrets.OnSource(key, secret);
    }

    public void SetCopy(Secret copy) => Secrets.OnCopy(Copies.Set($"{copy.Metadata.Namespace}/{copy.Metadata.Name}", copy), copy);

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
                (timer.Kind switch { "job" => _jobKeys, "list" => _listKeys, _ => _nodeKeys }).Add(timer.Key);
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
        OpenBooks();
        foreach (var copy in Copies.List()) Secrets.OnCopy(null, copy);
        foreach (var job in Jobs.List()) Tell(null, job);
        Secrets.BeginLeading(Now);
        foreach (var node in Nodes.List()) Board.OnNode(null, node, Now);
        foreach (var nodeImage in NodeImages.List()) Board.OnNodeImage(null, nodeImage, Now);
        RestartLists();
    }

    /// <summary>Reconciles until nothing is left to do.</summary>
    public void Settle()
    {
        for (var steps = 0; _jobKeys.Count + _nodeKeys.Count + _secretKeys.Count + _listKeys.Count > 0; steps++)
        {
            Assert.True(steps < 100_000, "the reconcilers never come to rest");
            if (_listKeys.Count > 0) ReconcileList(Pop(_listKeys));
            else if (_jobKeys.Count > 0) ReconcileJob(Pop(_jobKeys));
            else if (_secretKeys.Count > 0) ReconcileSecret(Pop(_secretKeys));
            else ReconcileNode(Pop(_nodeKeys));
        }
    }

    /// <summary>What is to be looked at, before the next <see cref="Settle"/>.</summary>
    public IEnumerable<string> Queued => [.. _jobKeys.Select(key => $"job {key}"), .. _nodeKeys.Select(key => $"node {key}")];

    /// <summary>What the reconcilers would still do, if every object were looked at again now.</summary>
    public IEnumerable<PlanAction> PendingActions() =>
        Jobs.List().Select(job => PlanJob(ObjectKey.Of(job.Metadata))).Concat(Nodes.List().Select(node => PlanNode(node.Metadata.Name!)))
            .Concat(Secrets.AllSources().Select(PlanSecret)).Concat(Lists.List().Select(list => PlanList($"default/{list.Metadata.Name}")))
            .SelectMany(plan => plan?.Actions ?? []);

    private static string Pop(SortedSet<string> keys)
    {
        var key = keys.Min!;
        keys.Remove(key);
        return key;
    }

    private void ReconcileJob(string key)
    {
        Jobs.TryGet(key, out var job);
        if (JobFinalizerPlanner.Plan(job, Secrets) is null)
            foreach (var action in Board.PlanSlots(key, Now)?.Actions ?? []) Perform(action);
        if (PlanJob(key) is not { } plan) return;
        foreach (var action in plan.Actions) Perform(action);
        Requeue("job", key, plan);
    }

    private Plan? PlanJob(string key)
    {
        Jobs.TryGet(key, out var job);
        return JobFinalizerPlanner.Plan(job, Secrets) ?? Board.PlanJob(key, Now);
    }

    private Plan? PlanSecret(string source) => Secrets.Read(source) is { } view ? SecretCopyPlanner.Plan(view) : null;

    private void ReconcileSecret(string source)
    {
        foreach (var action in PlanSecret(source)?.Actions ?? []) Perform(action);
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
        if (action is not (DispatchNodes or HoldSilentNodes or StartRound or SettleSecret or RecordEvent or RecordTotal)) Writes.Add(action);
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
                var key = $"{patch.Namespace}/{patch.Name}";
                Assert.True(Jobs.TryGet(key, out var job));
                Assert.Equal(job.Metadata.ResourceVersion, patch.ResourceVersion);
                Board.NoteStatusWrite(key, patch.Status, Now);
                Accept(job with { Status = RoundTrip(patch.Status, CrdJson.Default.ImagePullJobStatus), Metadata = Bump(job.Metadata, false) });
                break;
            case KruiseImage.Reconcile.DeleteJob delete:
                DeleteJob(delete.Name);
                break;
            case PatchJobFinalizers patch:
                Assert.True(Jobs.TryGet($"{patch.Namespace}/{patch.Name}", out var held));
                if (held.Metadata.DeletionTimestamp is not null && patch.Finalizers.Count == 0) Remove(held);
                else Accept(held with { Metadata = Bump(held.Metadata, false) with { Finalizers = [.. patch.Finalizers] } });
                break;
            case CreateSecret create:
                Assert.False(Copies.TryGet(ObjectKey.Of(create.Secret.Metadata), out _));
                SetCopy(create.Secret with { Metadata = create.Secret.Metadata with { Uid = $"secret-{++_uids}", ResourceVersion = "1" } });
                break;
            case PatchSecret patch:
                Assert.True(Copies.TryGet($"{patch.Namespace}/{patch.Name}", out var copy));
                var patched = JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(copy, CrdJson.Default.Secret))!.AsObject();
                Assert.Null(Patches.Apply(patched, new ApiPatch(PatchKind.Json, patch.Patch)));
                var amended = patched.Deserialize(CrdJson.Default.Secret)!;
                SetCopy(amended with { Metadata = Bump(amended.Metadata, false) });
                break;
            case DeleteSecret delete:
                Secrets.OnCopy(Copies.Set($"{delete.Namespace}/{delete.Name}", null), null);
                break;
            case SettleSecret settle:
                Secrets.Settle(settle.SourceKey, settle.Problem);
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
            case RecordTotal total:
                Totals[(total.About.Name!, total.Reason, total.Subject)] = total;
                break;
            default:
                PerformOnList(action);
                break;
        }
    }

    private void Patch(PatchNodeImage patch)
    {
        var before = NodeImage(patch.Name);
        var document = JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(before, CrdJson.Default.NodeImage))!;
        var patched = document.DeepClone().AsObject();
        Assert.Null(Patches.Apply(patched, new ApiPatch(PatchKind.Json, patch.Patch))); // the view was current, so its tests hold
        var after = patched.Deserialize(CrdJson.Default.NodeImage)!;
        var specChanged = !JsonNode.DeepEquals(document["spec"], patched["spec"]);
        Accept(after with { Metadata = Bump(after.Metadata, specChanged) });
    }

    /// <summary>An object that others wrote.</summary>
    public void Take(NodeImage nodeImage) => Accept(nodeImage);

    public void Take(ImagePullJob job) => Accept(job);

    private void Accept(NodeImage nodeImage) => Board.OnNodeImage(NodeImages.Set(nodeImage.Metadata.Name!, nodeImage), nodeImage, Now);

    private void Accept(ImagePullJob job) => Tell(Jobs.Set(ObjectKey.Of(job.Metadata), job), job);

    private void Remove(ImagePullJob job)
    {
        Jobs.Set(ObjectKey.Of(job.Metadata), null);
        Tell(job, null);
    }

    private void Tell(ImagePullJob? before, ImagePullJob? after)
    {
        Secrets.OnJob(before, after, Now);
        Board.OnJob(before, after, Now);
        ListBoard.OnJob(before, after);
    }

    private void OpenBooks()
    {
        _listKeys.Clear();
        ListBoard = new ListBoard(key => _listKeys.Add(key));
        _secretKeys.Clear();
        _followed.Clear();
        Secrets = new SecretBoard(Copies, SecretCopy.DefaultNamespace, key => _secretKeys.Add(key), key => _jobKeys.Add(key), FollowSecret);
        Board = new JobBoard(Nodes, NodeImages, Secrets, key => _jobKeys.Add(key), key => _nodeKeys.Add(key));
    }

    private void FollowSecret(string key, bool isFollowed)
    {
        if (!isFollowed) _followed.Remove(key);
        if (!isFollowed || !_followed.Add(key) || !CanReadSecrets) return;
        if (_sources.TryGetValue(key, out var secret)) Secrets.OnSource(key, secret);
        Secrets.OnSourceListed(key);
    }

    private static ObjectMeta Bump(ObjectMeta metadata, bool specChanged) => metadata with
    {
        ResourceVersion = (long.Parse(metadata.ResourceVersion!) + 1).ToString(),
        Generation = metadata.Generation + (specChanged ? 1 : 0),
    };

    private static T RoundTrip<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(value, type), type)!;
}
