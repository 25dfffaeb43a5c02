using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Micro;

/// <summary>
/// A cluster in memory with its jobs under way: the stores and the board of a controller, brought there by the board's own plans.
/// Each job holds ten nodes of its own, so that an event of one node concerns one job, as in a real cluster.
/// </summary>
public sealed class Fleet
{
    private const int Parallelism = 10;

    private int _version = 1;

    public Fleet(int nodes, int jobs)
    {
        Board = new JobBoard(Nodes, NodeImages, new NoSecrets(), _ => { }, _ => { });
        Nodes.Changed += (before, after) => Board.OnNode(before, after, Now);
        NodeImages.Changed += (before, after) => Board.OnNodeImage(before, after, Now);
        Fill(Nodes, [.. Enumerable.Range(0, nodes).Select(NewNode)]);
        Fill(NodeImages, [.. Enumerable.Range(0, nodes).Select(index => NewNodeImage(index, []))]);
        for (var index = 0; index < jobs; index++) Begin(index);
    }

    public Store<Node> Nodes { get; } = new();

    public Store<NodeImage> NodeImages { get; } = new();

    public JobBoard Board { get; }

    public DateTimeOffset Now { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public List<string> JobKeys { get; } = [];

    /// <summary>Nodes that pull.</summary>
    public List<string> Pulling { get; } = [];

    /// <summary>A NodeImage as daemons and controllers write it: <paramref name="entries"/> under way.</summary>
    public static NodeImage NewNodeImage(int index, IReadOnlyList<PullClaim> entries, int progress = 0, int version = 1) => new()
    {
        ApiVersion = "apps.kruise.io/v1beta1",
        Kind = nameof(NodeImage),
        Metadata = Meta(NodeName(index), version) with { Generation = 1 + entries.Count, Labels = LabelsOf(index) },
        Spec = new NodeImageSpec
        {
            Images = entries.ToDictionary(entry => entry.ImageName, entry => new ImageSpec
            {
                Tags = [new ImageTagSpec { Tag = entry.Tag, Version = 1, PullPolicy = entry.Policy, ImagePullPolicy = entry.ImagePullPolicy, OwnerReferences = [entry.Owner] }],
            }),
        },
        Status = new NodeImageStatus
        {
            Desired = entries.Count,
            Pulling = entries.Count,
            ImageStatuses = entries.ToDictionary(entry => entry.ImageName, entry => new ImageStatus
            {
                Tags = [new ImageTagStatus { Tag = entry.Tag, Version = 1, Phase = PullPhase.Pulling, Progress = progress }],
            }),
        },
    };

    /// <summary>One line of a watch: what the server sends when a daemon has written its progress.</summary>
    public static byte[] WatchLine()
    {
        var claims = Enumerable.Range(0, 5).Select(index => new PullClaim(
            new ObjectReference { ApiVersion = "apps.kruise.io/v1beta1", Kind = "ImagePullJob", Namespace = "default", Name = $"job-{index}", Uid = Uid($"job-{index}") },
            $"registry.example.com/team/app-{index}", "v1.2.3", new TagPullPolicy { TimeoutSeconds = 600, BackoffLimit = 3 }, "IfNotPresent", null, [], -1)).ToList();
        var json = JsonSerializer.Serialize(NewNodeImage(7, claims, 40), CrdJson.Default.NodeImage);
        return Encoding.UTF8.GetBytes($$"""{"type":"MODIFIED","object":{{json}}}""");
    }

    /// <summary>Every NodeImage as a list would bring it again: equal objects, other references.</summary>
    public List<NodeImage> Relisted() => [.. NodeImages.List().Select(known => known with { })];

    /// <summary>A daemon writes progress: the watch brings it.</summary>
    public void Report(string node, int progress)
    {
        NodeImages.TryGet(node, out var known);
        var statuses = known!.Status!.ImageStatuses!.ToDictionary(
            image => image.Key, image => new ImageStatus { Tags = [image.Value.Tags![0] with { Progress = progress }] }, StringComparer.Ordinal);
        NodeImages.Apply(new StoreChange<NodeImage>(StoreChangeKind.Set, known with
        {
            Metadata = known.Metadata with { ResourceVersion = $"{++_version}" },
            Status = known.Status with { ImageStatuses = statuses },
        }));
    }

    public static void Fill<T>(Store<T> store, IReadOnlyList<T> objects)
        where T : class, IKubeObject
    {
        store.Apply(new StoreChange<T>(StoreChangeKind.ListBegins));
        store.Apply(new StoreChange<T>(StoreChangeKind.LastPage, Page: objects, ListVersion: "1"));
    }

    /// <summary>A job over all nodes that pulls on ten of them, and whose status is written.</summary>
    private void Begin(int index)
    {
        var job = new ImagePullJob
        {
            Metadata = Meta($"job-{index}", ++_version) with { Namespace = "default", Generation = 1 },
            Spec = new ImagePullJobSpec { Image = $"registry.example.com/team/app-{index}:v1.2.3", Parallelism = Parallelism },
        };
        Board.OnJob(null, job, Now);
        var slots = Enumerable.Range(index * Parallelism, Parallelism).Select(slot => slot % Nodes.Count).ToList();
        Board.Dispatch(job.Metadata.Uid!, slots, Now); // a node's slot is its index: they came in that order
        JobKeys.Add(ObjectKey.Of(job.Metadata));
        foreach (var action in Board.PlanJob(JobKeys[^1], Now)!.Actions.OfType<PatchJobStatus>())
        {
            Board.NoteStatusWrite(JobKeys[^1], action.Status, Now);
            Board.OnJob(job, job with { Status = action.Status }, Now);
        }

        foreach (var slot in slots) Acknowledge(slot);
    }

    private void Acknowledge(int slot)
    {
        var claims = Board.On(NodeName(slot));
        Pulling.Add(NodeName(slot));
        NodeImages.Apply(new StoreChange<NodeImage>(StoreChangeKind.Set, NewNodeImage(slot, claims, 1, ++_version)));
    }

    private static Node NewNode(int index) => new() { Metadata = Meta(NodeName(index), 1) with { Labels = LabelsOf(index) }, Status = new NodeStatus { Ready = true } };

    private static string NodeName(int index) => $"node-{index:d5}";

    private static ObjectMeta Meta(string name, int version) => new() { Name = name, Uid = Uid(name), ResourceVersion = $"{version}" };

    private static Dictionary<string, string> LabelsOf(int index) => new(StringComparer.Ordinal)
    {
        ["kubernetes.io/arch"] = "amd64",
        ["kubernetes.io/hostname"] = NodeName(index),
        ["kubernetes.io/os"] = "linux",
        ["topology.kubernetes.io/zone"] = $"zone-{index % 3}",
    };

    private static string Uid(string name) => $"00000000-0000-4000-8000-{StableHash.Of(name, "uid"):x8}0000";

    private sealed class NoSecrets : IPullSecrets
    {
        public IReadOnlyList<SecretReference> ReferencesFor(ImagePullJob job) => [];

        public TimeSpan WaitFor(ImagePullJob job, DateTimeOffset now) => TimeSpan.Zero;

        public bool MayHoldCopies(string jobKey) => false;
    }
}
