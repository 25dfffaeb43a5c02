using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.ImageListPullJobs;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Reconcile.SecretCopies;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile;

/// <summary>
/// Performs plans: the only place where reconciling writes. It decides nothing. Each write's answer goes into the store at once,
/// so the next plan reads its own writes; after a conflict the store gets the object as the server has it. It never acts for a replica
/// that does not lead any more.
/// </summary>
/// <param name="leads">Asked before each action.</param>
public sealed partial class PlanExecutor(
    IKubeClient client,
    Store<NodeImage> nodeImages,
    Store<ImagePullJob> jobs,
    Store<ImageListPullJob> lists,
    Store<Secret> copies,
    JobBoard board,
    ListBoard listBoard,
    SecretBoard secrets,
    EventRecorder events,
    Func<bool> leads,
    TimeProvider clock,
    ILogger<PlanExecutor> logger)
{
    /// <summary>Stops at the first action that fails: the rest is planned again.</summary>
    public async Task<Outcome> Execute(string key, Plan plan, CancellationToken cancellationToken)
    {
        foreach (var action in plan.Actions)
        {
            if (!leads()) return Outcome.Retry("this replica does not lead any more");
            var outcome = await Perform(action, cancellationToken).ConfigureAwait(false);
            if (outcome.Kind == OutcomeKind.Done) continue;
            LogStopped(key, outcome.Message);
            return outcome;
        }

        if (plan.Actions.Count > 0) LogExecuted(key, plan.Actions.Count, plan.Why);
        return plan.RequeueAfter is { } after ? Outcome.RequeueAfter(after) : Outcome.Done;
    }

    private Task<Outcome> Perform(PlanAction action, CancellationToken cancellationToken) => action switch
    {
        CreateNodeImage create => Create(Resources.NodeImages, nodeImages, create.NodeImage, cancellationToken),
        PatchNodeImage patch => Patch(patch, cancellationToken),
        DeleteNodeImage delete => Delete(Resources.NodeImages, nodeImages, null, delete.Name, delete.Uid, cancellationToken),
        PatchJobStatus status => Patch(status, cancellationToken),
        PatchJobFinalizers finalizers => Patch(finalizers, cancellationToken),
        CreateJob create => Create(create, cancellationToken),
        DeleteJob delete => Delete(Resources.ImagePullJobs, jobs, delete.Namespace, delete.Name, delete.Uid, cancellationToken),
        PatchListStatus status => Patch(status, cancellationToken),
        DeleteList delete => Delete(Resources.ImageListPullJobs, lists, delete.Namespace, delete.Name, delete.Uid, cancellationToken),
        CreateSecret create => Create(Resources.Secrets, copies, create.Secret, cancellationToken),
        PatchSecret patch => Patch(patch, cancellationToken),
        DeleteSecret delete => Delete(Resources.Secrets, copies, delete.Namespace, delete.Name, delete.Uid, cancellationToken),
        _ => Task.FromResult(PerformInMemory(action)),
    };

    private Outcome PerformInMemory(PlanAction action)
    {
        switch (action)
        {
            case DispatchNodes dispatch:
                board.Dispatch(dispatch.JobUid, dispatch.Slots, clock.GetUtcNow());
                break;
            case HoldSilentNodes hold:
                board.HoldSilent(hold.JobUid, hold.Slots, clock.GetUtcNow());
                break;
            case StartRound round:
                board.StartRound(round.JobUid, round.Slots, clock.GetUtcNow());
                break;
            case SettleSecret settle:
                secrets.Settle(settle.SourceKey, settle.Problem);
                break;
            case RecordEvent record:
                events.Record(record.About, record.Warning, record.Reason, record.Message);
                break;
            case RecordTotal total:
                events.RecordTotal(total.About, total.Warning, total.Reason, total.Subject, total.Count, total.Message);
                break;
            default:
                throw new InvalidOperationException($"no such action: {action.GetType().Name}");
        }

        return Outcome.Done;
    }

    private async Task<Outcome> Create<T>(Resource<T> resource, Store<T> store, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var result = await client.Create(resource, value, cancellationToken).ConfigureAwait(false);
        if (result.Error == ApiError.NotFound) return Outcome.Retry(result.Message); // the namespace is not there
        return await Settle(result, resource, store, value.Metadata.Namespace, value.Metadata.Name!, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Patch(PatchNodeImage patch, CancellationToken cancellationToken)
    {
        var result = await client.Patch(Resources.NodeImages, null, patch.Name, new ApiPatch(PatchKind.Json, patch.Patch), cancellationToken).ConfigureAwait(false);
        return await Settle(result, Resources.NodeImages, nodeImages, null, patch.Name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Patch(PatchSecret patch, CancellationToken cancellationToken)
    {
        var result = await client.Patch(Resources.Secrets, patch.Namespace, patch.Name, new ApiPatch(PatchKind.Json, patch.Patch), cancellationToken).ConfigureAwait(false);
        return await Settle(result, Resources.Secrets, copies, patch.Namespace, patch.Name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Patch(PatchJobFinalizers patch, CancellationToken cancellationToken)
    {
        var body = JobFinalizersPatch.Write(patch.ResourceVersion, patch.Finalizers);
        var result = await client.Patch(Resources.ImagePullJobs, patch.Namespace, patch.Name, new ApiPatch(PatchKind.Merge, body), cancellationToken).ConfigureAwait(false);
        return await Settle(result, Resources.ImagePullJobs, jobs, patch.Namespace, patch.Name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Patch(PatchJobStatus patch, CancellationToken cancellationToken)
    {
        var body = StatusPatch.Write(patch.ResourceVersion, patch.Status, CrdJson.Default.ImagePullJobStatus);
        var result = await client.Patch(Resources.ImagePullJobs, patch.Namespace, patch.Name, new ApiPatch(PatchKind.Merge, body, "status"), cancellationToken).ConfigureAwait(false);
        if (result.IsOk) board.NoteStatusWrite(ObjectKey.Of(patch.Namespace, patch.Name), patch.Status, clock.GetUtcNow());
        return await Settle(result, Resources.ImagePullJobs, jobs, patch.Namespace, patch.Name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Create(CreateJob create, CancellationToken cancellationToken)
    {
        var (@namespace, name) = (create.Job.Metadata.Namespace, create.Job.Metadata.Name!);
        var result = await client.Create(Resources.ImagePullJobs, create.Job, cancellationToken).ConfigureAwait(false);
        // A quota or somebody's admission webhook: only people can help, so they are told where they look.
        if (result.Error is ApiError.Invalid or ApiError.Forbidden or ApiError.Failed) events.Record(create.For, true, "FailedCreate", result.Message);
        return await Settle(result, Resources.ImagePullJobs, jobs, @namespace, name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Patch(PatchListStatus patch, CancellationToken cancellationToken)
    {
        var body = StatusPatch.Write(patch.ResourceVersion, patch.Status, CrdJson.Default.ImageListPullJobStatus);
        var result = await client.Patch(Resources.ImageListPullJobs, patch.Namespace, patch.Name, new ApiPatch(PatchKind.Merge, body, "status"), cancellationToken).ConfigureAwait(false);
        if (result.IsOk) listBoard.NoteStatusWrite(ObjectKey.Of(patch.Namespace, patch.Name), patch.Status, clock.GetUtcNow());
        return await Settle(result, Resources.ImageListPullJobs, lists, patch.Namespace, patch.Name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> Delete<T>(Resource<T> resource, Store<T> store, string? @namespace, string name, string uid, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var result = await client.Delete(resource, @namespace, name, uid, cancellationToken).ConfigureAwait(false);
        if (result is { IsOk: true, Value: { } held }) store.Accept(held); // a finalizer holds it
        // A conflict is another object of that name: the watch will tell of it.
        return result.Error is ApiError.None or ApiError.NotFound or ApiError.Conflict ? Outcome.Done : Refused(result);
    }

    private async Task<Outcome> Settle<T>(
        ApiResult<T> result, Resource<T> resource, Store<T> store, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        if (result.IsOk)
        {
            store.Accept(result.Value!);
            return Outcome.Done;
        }

        if (result.Error is not (ApiError.Conflict or ApiError.AlreadyExists)) return Refused(result);
        var fresh = await client.Get(resource, @namespace, name, cancellationToken).ConfigureAwait(false);
        if (fresh.IsOk) store.Accept(fresh.Value!);
        return Outcome.Retry(result.Message);
    }

    private static Outcome Refused<T>(ApiResult<T> result)
        where T : class => result.Error switch
        {
            ApiError.NotFound => Outcome.Done, // the watch will tell of the deletion
            ApiError.Invalid or ApiError.Unreadable or ApiError.Failed => Outcome.Drop(result.Message),
            _ => Outcome.Retry(result.Message, result.RetryAfter ?? default),
        };

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Key}: {Actions} actions done; {Why}")]
    private partial void LogExecuted(string key, int actions, string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Key}: stopped, to be planned again: {Message}")]
    private partial void LogStopped(string key, string message);
}
