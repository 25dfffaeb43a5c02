using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>
/// Changes jobs and lists for the acting verbs: a patch bound to the version that was read, made anew when somebody else was faster; and
/// waits, for a while, until the controller has seen a change. Never writes to another object of the same name.
/// </summary>
public sealed class JobWriter(Cluster cluster, TimeProvider clock)
{
    private const int MaxAttempts = 10;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    /// <summary>A controller that has not seen a change by then is not there.</summary>
    private static readonly TimeSpan ControllerShouldSee = TimeSpan.FromSeconds(10);

    /// <summary>As the server has it now: of our wire types nothing is missing, but of its annotations.</summary>
    /// <exception cref="CommandException">It is gone.</exception>
    public async Task<JsonElement> Read(IKubeObject target, CancellationToken cancellationToken)
    {
        var answer = await cluster.Client.Get(RawOf(target), target.Metadata.Namespace, target.Metadata.Name!, cancellationToken).ConfigureAwait(false);
        if (answer.Error is not (ApiError.None or ApiError.NotFound)) throw Cluster.Refusal(answer.Error, answer.Message);
        return answer.IsOk && answer.Value!.Metadata.Uid == target.Metadata.Uid ? answer.Value.Json : throw Gone(target);
    }

    /// <param name="change">From the object to a merge patch; null: nothing to change.</param>
    /// <returns>The generation of the object; null when there was nothing to change.</returns>
    public async Task<long?> Patch(IKubeObject target, Func<JsonElement, byte[]?> change, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (change(await Read(target, cancellationToken).ConfigureAwait(false)) is not { } body) return null;
            var answer = await cluster.Client.Patch(
                RawOf(target), target.Metadata.Namespace, target.Metadata.Name!, new ApiPatch(PatchKind.Merge, body), cancellationToken).ConfigureAwait(false);
            if (answer.IsOk) return answer.Value!.Metadata.Generation ?? 0;
            if (answer.Error == ApiError.NotFound) throw Gone(target);
            if (answer.Error != ApiError.Conflict) throw Cluster.Refusal(answer.Error, answer.Message);
            if (attempt == MaxAttempts) throw CommandException.Failed($"{JobWords.KeyOf(target)} is changed by others all the time: try again");
            await Task.Delay(BetweenAttempts, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The uid's object alone.</summary>
    public async Task Delete(IKubeObject target, CancellationToken cancellationToken)
    {
        var answer = await cluster.Client.Delete(RawOf(target), target.Metadata.Namespace, target.Metadata.Name!, target.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        if (answer.Error is ApiError.NotFound or ApiError.Conflict) throw Gone(target);
        if (!answer.IsOk) throw Cluster.Refusal(answer.Error, answer.Message);
    }

    /// <summary>Jobs of a list that are not being deleted.</summary>
    public async Task<List<ImagePullJob>> JobsOf(ImageListPullJob list, CancellationToken cancellationToken)
    {
        var jobs = await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, new() { Namespace = list.Metadata.Namespace }, cancellationToken).ConfigureAwait(false);
        return [.. jobs.Where(job => job.Metadata.DeletionTimestamp is null && IsOf(list, job)).OrderBy(job => job.Metadata.Name, StringComparer.Ordinal)];
    }

    public static bool IsOf(ImageListPullJob list, ImagePullJob job) => job.Metadata.OwnerReferences?.Exists(owner => owner.Uid == list.Metadata.Uid) ?? false;

    /// <summary>Looks until the object is so, or until nobody can be expected to make it so.</summary>
    /// <returns>The object as it was last.</returns>
    public async Task<T> Until<T>(Resource<T> resource, T target, Predicate<T> isSo, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var answer = await cluster.Client.Get(resource, target.Metadata.Namespace, target.Metadata.Name!, cancellationToken).ConfigureAwait(false);
            if (answer.Error is not (ApiError.None or ApiError.NotFound)) throw Cluster.Refusal(answer.Error, answer.Message);
            if (!answer.IsOk || answer.Value!.Metadata.Uid != target.Metadata.Uid) return target;
            target = answer.Value!;
            if (isSo(target) || clock.GetElapsedTime(started) >= ControllerShouldSee) return target;
            await Task.Delay(BetweenLooks, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private static Resource<RawObject> RawOf(IKubeObject target) => target is ImagePullJob ? CtlKinds.Jobs.Raw : CtlKinds.Lists.Raw;

    private static CommandException Gone(IKubeObject target) => CommandException.Failed($"{JobWords.KeyOf(target)} was deleted meanwhile");
}
