using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImageListPullJobs;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>What becomes of the next write of a list's plan.</summary>
public enum WriteFault
{
    /// <summary>It is not applied, and the plan stops.</summary>
    Refused,
    /// <summary>It is applied and shows in the caches; the answer is lost, and the plan stops.</summary>
    AnswerLost,
    /// <summary>A job is created, the answer is lost and the watch is late: the caches learn of it from the next AlreadyExists.</summary>
    Unseen,
}

/// <summary>The lists of the world. Their garbage collection is here too, and can be held up as a real one may be.</summary>
public sealed partial class World
{
    private readonly SortedSet<string> _listKeys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImagePullJob> _unseen = new(StringComparer.Ordinal);

    public FakeLister<ImageListPullJob> Lists { get; } = new();

    public ListBoard ListBoard { get; private set; } = null!;

    public WriteFault? NextFault { get; set; }

    /// <summary>The cluster of the bed has none either.</summary>
    public bool CollectsGarbage { get; set; } = true;

    public ImageListPullJob CreateList(string name, ImageListPullJobSpec spec)
    {
        var list = new ImageListPullJob
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = name, Uid = $"list-{++_uids}", ResourceVersion = "1", Generation = 1, CreationTimestamp = Now },
            Spec = spec,
        };
        Accept(list);
        return list;
    }

    public void EditList(string name, Func<ImageListPullJobSpec, ImageListPullJobSpec> edit)
    {
        var list = List(name);
        Accept(list with { Spec = edit(list.Spec), Metadata = Bump(list.Metadata, true) });
    }

    public void DeleteList(string name)
    {
        if (Lists.Set($"default/{name}", null) is not { } list) return;
        ListBoard.OnList(list, null);
        foreach (var child in CollectsGarbage ? Children(list) : []) DeleteJob(child.Metadata.Name!);
    }

    public void BeginListDeletion(string name)
    {
        var list = List(name);
        Accept(list with { Metadata = Bump(list.Metadata, false) with { DeletionTimestamp = Now } });
    }

    /// <summary>A job as somebody else made it.</summary>
    public ImagePullJob AddJob(string name, ImagePullJobSpec spec, ImageListPullJob? owner, string revision = "theirs", DateTimeOffset? created = null)
    {
        var reference = owner is null ? null : new OwnerReference
        {
            ApiVersion = "apps.kruise.io/v1alpha1",
            Kind = nameof(ImageListPullJob),
            Name = owner.Metadata.Name,
            Uid = owner.Metadata.Uid,
            Controller = true,
        };
        var job = new ImagePullJob
        {
            Metadata = new ObjectMeta
            {
                Namespace = "default",
                Name = name,
                Uid = $"job-{++_uids}",
                ResourceVersion = "1",
                Generation = 1,
                CreationTimestamp = created ?? Now,
                Labels = new() { [ChildTemplate.RevisionLabel] = revision },
                OwnerReferences = reference is null ? null : [reference],
            },
            Spec = spec,
        };
        Accept(job);
        return job;
    }

    /// <summary>The end of a job, as its own reconciler would write it; the nodes are left out.</summary>
    public void FinishJob(string name, int failed = 0, string? message = null)
    {
        var job = Job(name);
        var status = new ImagePullJobStatus
        {
            StartTime = Now,
            CompletionTime = Now,
            Desired = 3,
            Succeeded = 3 - failed,
            Failed = failed,
            Failures = failed == 0 ? null : [new FailureGroup { Reason = PullReason.NotFound, Count = failed, Message = message ?? "no such image" }],
        };
        Accept(job with { Status = status, Metadata = Bump(job.Metadata, false) });
    }

    public ImageListPullJob List(string name) => Lists.TryGet($"default/{name}", out var list) ? list : throw new InvalidOperationException($"no list {name}");

    public ImagePullJob[] Children(ImageListPullJob list) =>
        [.. Jobs.List().Where(job => job.Metadata.OwnerReferences?.Exists(owner => owner.Uid == list.Metadata.Uid) == true).OrderBy(job => job.Spec.Image, StringComparer.Ordinal)];

    /// <summary>The one child of the image that is not being deleted.</summary>
    public ImagePullJob Child(string list, string image) =>
        Assert.Single(Children(List(list)), child => child.Spec.Image == image && child.Metadata.DeletionTimestamp is null);

    /// <summary>The watch brings what the caches have missed.</summary>
    public void CatchUp()
    {
        foreach (var job in _unseen.Values.ToList()) Accept(job);
        _unseen.Clear();
    }

    private void RestartLists()
    {
        CatchUp();
        foreach (var list in Lists.List()) ListBoard.OnList(null, list);
    }

    private Plan? PlanList(string key) => ListView.Read(key, Lists, Jobs, ListBoard) is { } view ? ListPlanner.Plan(view, Now) : null;

    private void ReconcileList(string key)
    {
        if (PlanList(key) is not { } plan) return;
        foreach (var action in plan.Actions)
        {
            if (TryPerform(action)) continue;
            _listKeys.Add(key); // the queue's retry
            return;
        }

        Requeue("list", key, plan);
    }

    /// <returns>False when the plan stops here.</returns>
    private bool TryPerform(PlanAction action)
    {
        if (action is KruiseImage.Reconcile.CreateJob { Job.Metadata.Name: { } name } && _unseen.Remove(name, out var existing))
        {
            Accept(existing); // AlreadyExists, then Get
            return false;
        }

        var fault = NextFault;
        if (action is not RecordEvent) NextFault = null;
        if (fault == WriteFault.Refused) return false;
        if (fault == WriteFault.Unseen && action is KruiseImage.Reconcile.CreateJob create) _unseen[create.Job.Metadata.Name!] = Stored(create.Job);
        else Perform(action);
        return fault is null;
    }

    private void PerformOnList(PlanAction action)
    {
        switch (action)
        {
            case KruiseImage.Reconcile.CreateJob create:
                Assert.False(Jobs.TryGet($"default/{create.Job.Metadata.Name}", out _), "the planner saw that the name is taken");
                Accept(Stored(create.Job));
                break;
            case PatchListStatus patch:
                var list = List(patch.Name);
                Assert.Equal(list.Metadata.ResourceVersion, patch.ResourceVersion);
                ListBoard.NoteStatusWrite($"default/{patch.Name}", patch.Status, Now);
                Accept(list with { Status = RoundTrip(patch.Status, CrdJson.Default.ImageListPullJobStatus), Metadata = Bump(list.Metadata, false) });
                break;
            case KruiseImage.Reconcile.DeleteList delete:
                Assert.Equal(List(delete.Name).Metadata.Uid, delete.Uid);
                DeleteList(delete.Name);
                break;
            default:
                throw new InvalidOperationException($"no such action: {action}");
        }
    }

    private ImagePullJob Stored(ImagePullJob job) => RoundTrip(
        job with { Metadata = job.Metadata with { Uid = $"job-{++_uids}", Generation = 1, ResourceVersion = "1", CreationTimestamp = Now } }, CrdJson.Default.ImagePullJob);

    private void Accept(ImageListPullJob list) => ListBoard.OnList(Lists.Set($"default/{list.Metadata.Name}", list), list);
}
