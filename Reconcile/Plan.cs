using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>
/// What a planner decided, in the order it must happen. Every prefix is a safe place to crash, and planning again after all of
/// it succeeded yields an empty plan.
/// </summary>
/// <param name="RequeueAfter">When time alone will change the decision.</param>
/// <param name="Why">What the object waits for, in words: logs and people read the same text.</param>
public sealed record Plan(IReadOnlyList<PlanAction> Actions, TimeSpan? RequeueAfter, string Why)
{
    public static Plan Nothing(string why, TimeSpan? requeueAfter = null) => new([], requeueAfter, why);
}

/// <summary>Something to be done; only <see cref="PlanExecutor"/> does it.</summary>
public abstract record PlanAction;

public sealed record CreateNodeImage(NodeImage NodeImage) : PlanAction;

public sealed record DeleteNodeImage(string Name, string Uid) : PlanAction;

/// <summary>One JSON Patch with all changes for one NodeImage. Its tests make it a conflict if the spec is not what was read.</summary>
public sealed record PatchNodeImage(string Name, ReadOnlyMemory<byte> Patch) : PlanAction;

/// <summary>Reserves slots of a job, in memory; the NodeImages of the nodes are reconciled next.</summary>
public sealed record DispatchNodes(string JobUid, IReadOnlyList<int> Slots) : PlanAction;

/// <summary>Frees the slots of nodes whose daemons gave no sign.</summary>
public sealed record HoldSilentNodes(string JobUid, IReadOnlyList<int> Slots) : PlanAction;

/// <summary>Lets finished nodes of a job that never completes pull again.</summary>
public sealed record StartRound(string JobUid, IReadOnlyList<int> Slots) : PlanAction;

/// <param name="ResourceVersion">The job that the decision was made on.</param>
public sealed record PatchJobStatus(string Namespace, string Name, string ResourceVersion, ImagePullJobStatus Status) : PlanAction;

/// <summary>Holds the job's deletion up, or no longer.</summary>
/// <param name="ResourceVersion">The job that the decision was made on.</param>
/// <param name="Finalizers">All that it has from now on.</param>
public sealed record PatchJobFinalizers(string Namespace, string Name, string ResourceVersion, IReadOnlyList<string> Finalizers) : PlanAction;

/// <param name="For">The list that the job is a child of.</param>
public sealed record CreateJob(ImagePullJob Job, ObjectReference For) : PlanAction;

public sealed record DeleteJob(string Namespace, string Name, string Uid) : PlanAction;

/// <param name="ResourceVersion">The list that the decision was made on.</param>
public sealed record PatchListStatus(string Namespace, string Name, string ResourceVersion, ImageListPullJobStatus Status) : PlanAction;

public sealed record DeleteList(string Namespace, string Name, string Uid) : PlanAction;

public sealed record CreateSecret(Secret Secret) : PlanAction;

/// <summary>A JSON Patch that tests uid and resourceVersion: nobody but us writes copies.</summary>
public sealed record PatchSecret(string Namespace, string Name, ReadOnlyMemory<byte> Patch) : PlanAction;

public sealed record DeleteSecret(string Namespace, string Name, string Uid) : PlanAction;

/// <summary>All that can be done about a source secret is done, in memory: its jobs go on.</summary>
/// <param name="Problem">What is wrong with it, as its jobs were told; empty when nothing is.</param>
public sealed record SettleSecret(string SourceKey, string Problem) : PlanAction;

public sealed record RecordEvent(ObjectReference About, bool Warning, string Reason, string Message) : PlanAction;

/// <summary>An event that is there once for its object, reason and subject; the newest number and message replace the former.</summary>
public sealed record RecordTotal(ObjectReference About, bool Warning, string Reason, string Subject, int Count, string Message) : PlanAction;
