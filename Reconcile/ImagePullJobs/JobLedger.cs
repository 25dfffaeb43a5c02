using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>A reserved slot. <see cref="LastSign"/>: the decision, or the daemon's last status write since.</summary>
public readonly record struct Dispatch(DateTimeOffset LastSign, bool Acknowledged);

/// <summary>Why a node cannot work now, and since when.</summary>
public readonly record struct Hold(string Reason, DateTimeOffset Since);

/// <summary>What a node said when it succeeded.</summary>
public readonly record struct NodeSuccess(string Node, string Message);

/// <summary>What a node said when it failed.</summary>
public readonly record struct NodeFailure(string Reason, string Message);

/// <summary>
/// The books of one unfinished job: what it asks, and where every node stands. Owned and written by <see cref="JobBoard"/>
/// alone, under its lock; the planner reads it. Everything in it can be rebuilt from Nodes, NodeImages and the job.
/// </summary>
public sealed class JobLedger
{
    private HashSet<string>? _names;
    private LabelSelector _labels = LabelSelector.Everything;
    private string _podSelector = "";
    private long? _generation;

    public JobLedger(ImagePullJob job)
    {
        Job = job;
        Key = ObjectKey.Of(job.Metadata);
        Uid = job.Metadata.Uid ?? "";
        Owner = job.Reference();
    }

    public string Key { get; }
    public string Uid { get; }
    public ObjectReference Owner { get; }
    public ImagePullJob Job { get; private set; }

    /// <summary>The sentence for the Invalid condition, or null.</summary>
    public string? Invalid { get; private set; }

    /// <summary>Familiar name and tag (or digest): the entry's key in a NodeImage.</summary>
    public string ImageName { get; private set; } = "";
    public string Tag { get; private set; } = "";

    /// <summary>What its entries name.</summary>
    public IReadOnlyList<SecretReference> PullSecrets { get; set; } = [];

    public NodePlaces Places { get; } = new();

    /// <summary>
    /// Where the job's turn of its nodes begins: jobs over the same nodes begin at different ones, or they would all wait for the same few
    /// daemons while the others idle.
    /// </summary>
    public int FirstSlot { get; private set; }

    /// <summary>When its nodes are known, or others than before.</summary>
    public void ChooseFirstSlot() => FirstSlot = Places.Nth((int)(StableHash.Of(Uid) % (uint)Math.Max(1, Places.Desired)));

    public DigestTally Digests { get; } = new();
    public Dictionary<int, Dispatch> Dispatches { get; } = [];
    public Dictionary<int, Hold> Holds { get; } = [];
    public Dictionary<int, NodeFailure> Failures { get; } = [];

    /// <summary>For people, as an example; null before the first.</summary>
    public NodeSuccess? LastSuccess { get; set; }

    /// <summary>For nodes that pull again: the version that the new round must exceed.</summary>
    public Dictionary<int, long> Rounds { get; } = [];

    /// <summary>Nodes of matching pods. Null unless the job selects by pods; kept as long as the selector stays what it is.</summary>
    public HashSet<string>? PodNodes { get; private set; }

    /// <summary>Whether it is still unknown on which nodes the job has pods, so which nodes are its own.</summary>
    public bool AwaitsPods => PodNodes is not null && !PodsKnown;

    /// <summary>Whether <see cref="PodNodes"/> is complete. The job is not planned before.</summary>
    public bool PodsKnown { get; set; }

    /// <summary>Our last write, which a server with an older schema may have stored in part only.</summary>
    public StatusWrite<ImagePullJobStatus>? Written { get; set; }

    /// <summary>When <see cref="JobPlanner"/> wants to look at every node again.</summary>
    public DateTimeOffset NextSweep { get; set; }

    public bool IsFinished => Job.Status?.CompletionTime is not null;
    public bool CompletesNever => Defaults.CompletesNever(Job.Spec.CompletionPolicy);
    public IReadOnlyCollection<string> NamedNodes => _names ?? [];

    public bool Wants(string imageName, string tag) =>
        string.Equals(ImageName, imageName, StringComparison.Ordinal) && string.Equals(Tag, tag, StringComparison.Ordinal);

    /// <summary>Whether the node belongs to the job. A name counts whether or not there is such a Node.</summary>
    public bool Desires(string name, Node? node)
    {
        if (Invalid is not null) return false;
        if (PodNodes is not null) return PodNodes.Contains(name);
        if (_names is not null) return _names.Contains(name);
        return node is not null && _labels.Matches(node.Metadata.Labels);
    }

    /// <summary>How many nodes of the unfinished ones are where, and why.</summary>
    public static Dictionary<(Place Place, string Reason), int> CountNodes(IEnumerable<JobLedger> ledgers)
    {
        var counts = new Dictionary<(Place, string), int>();
        foreach (var ledger in ledgers.Where(ledger => !ledger.IsFinished))
        {
            foreach (var place in (ReadOnlySpan<Place>)[Place.Waiting, Place.Active, Place.Succeeded]) Add(place, "", ledger.Places.Count(place));
            foreach (var hold in ledger.Holds.Values) Add(Place.Held, hold.Reason, 1);
            foreach (var failure in ledger.Failures.Values) Add(Place.Failed, failure.Reason, 1);
        }

        return counts;

        void Add(Place place, string reason, int count) => counts[(place, reason)] = counts.GetValueOrDefault((place, reason)) + count;
    }

    /// <summary>For people, of a node that is not desired.</summary>
    public string WhyNotDesired(Node? node)
    {
        if (Invalid is not null) return "the job is invalid";
        if (PodNodes is not null) return $"no active pod with labels {_podSelector} runs there";
        if (_names is not null) return "the job names its nodes, and this one is not among them";
        return node is null ? "there is no Node of this name" : _labels.WhyNot(node.Metadata.Labels) ?? "";
    }

    /// <summary>Takes a newer version of the job.</summary>
    /// <returns>What the edit means for the books.</returns>
    public JobEdit Observe(ImagePullJob job)
    {
        var before = Job.Spec;
        Job = job;
        if (_generation is { } known && known == job.Metadata.Generation) return JobEdit.None;
        var isFirst = _generation is null;
        _generation = job.Metadata.Generation ?? 0;

        var (imageName, tag, invalid) = (ImageName, Tag, Invalid);
        Compile(job.Spec);
        if (isFirst || !Wants(imageName, tag) || invalid != Invalid) return JobEdit.Image;
        if (!SameNodes(before, job.Spec)) return JobEdit.Nodes;
        return JobEdit.Policy;
    }

    public PullClaim ClaimOn(int slot) => new(Owner, ImageName, Tag, EntryPolicy(), EntryPullPolicy(slot), Job.Spec.SandboxConfig, PullSecrets, Rounds.GetValueOrDefault(slot, -1));

    /// <summary>Forgets every node; what the job asks stays.</summary>
    public void ClearNodes()
    {
        Places.Clear();
        Digests.Clear();
        Dispatches.Clear();
        Holds.Clear();
        Failures.Clear();
        Rounds.Clear();
    }

    private void Compile(ImagePullJobSpec spec)
    {
        Invalid = Validation.ImagePullJob(spec);
        var pods = PodNodes;
        (ImageName, Tag, _names, PodNodes) = ("", "", null, null);
        if (Invalid is not null || !ImageReference.TryParse(spec.Image, out var reference, out _)) return;
        (ImageName, Tag) = (reference.FamiliarName, reference.TagOrDigest);
        if (spec.PodSelector is not null)
        {
            var selector = LabelSelector.TryCompile(spec.PodSelector, out var compiled, out _) ? compiled.ToString() : "";
            PodsKnown &= pods is not null && selector == _podSelector;
            PodNodes = pods is not null && selector == _podSelector ? pods : new HashSet<string>(StringComparer.Ordinal);
            _podSelector = selector;
        }
        else if (spec.Selector?.Names is { Count: > 0 } names)
        {
            _names = new HashSet<string>(names, StringComparer.Ordinal);
        }
        else if (LabelSelector.TryCompile(spec.Selector?.MatchLabels, spec.Selector?.MatchExpressions, out var labels, out _))
        {
            _labels = labels;
        }
    }

    private static bool SameNodes(ImagePullJobSpec before, ImagePullJobSpec after) =>
        JsonEquality.Same(before.Selector, after.Selector, CrdJson.Default.NodeSelector) &&
        JsonEquality.Same(before.PodSelector, after.PodSelector, CrdJson.Default.PodSelector);

    private TagPullPolicy EntryPolicy()
    {
        var completion = Job.Spec.CompletionPolicy;
        return new TagPullPolicy
        {
            TimeoutSeconds = (int)Defaults.Timeout(Job.Spec.PullPolicy?.TimeoutSeconds).TotalSeconds,
            BackoffLimit = Defaults.Backoff(Job.Spec.PullPolicy?.BackoffLimit),
            TtlSecondsAfterFinished = completion?.TtlSecondsAfterFinished ?? Defaults.EntryTtlSeconds,
            ActiveDeadlineSeconds = completion?.ActiveDeadlineSeconds,
        };
    }

    /// <summary>A later round is there to notice that a tag moved, so it pulls even what is present.</summary>
    private string EntryPullPolicy(int slot) =>
        Rounds.ContainsKey(slot) || Defaults.PullsAlways(Job.Spec.ImagePullPolicy) ? Defaults.Always : Defaults.IfNotPresent;
}

/// <summary>What an edit of a job touches, the widest first.</summary>
public enum JobEdit
{
    /// <summary>Another image, or it became valid or invalid: every node starts afresh.</summary>
    Image,
    /// <summary>Another set of nodes.</summary>
    Nodes,
    /// <summary>Parallelism, deadlines, backoff.</summary>
    Policy,
    /// <summary>Only status or metadata.</summary>
    None,
}
