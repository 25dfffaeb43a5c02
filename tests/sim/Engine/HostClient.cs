using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;

namespace KruiseImage.Sim.Engine;

/// <summary>
/// The API client of one host: every request travels, is carried out at the server at one moment, and its answer travels back, as
/// far as the network lets it. Says so when a write (of a kind) is sent. A request that is on its way when its sender dies or gives it up may still be carried out.
/// </summary>
internal sealed class HostClient(Host host, SimSession session, SimSession others, Network network, Trace trace, Action<Host, string> sending) : IKubeClient
{
    private static readonly ApiPatch Touch = new(PatchKind.Merge, Encoding.UTF8.GetBytes("""{"metadata":{"annotations":{"touched":"1"}}}"""));
    private static readonly ApiPatch Untouch = new(PatchKind.Merge, Encoding.UTF8.GetBytes("""{"metadata":{"annotations":{"touched":null}}}"""));

    public Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject => Send("get", resource.Plural, name, () => session.Get(resource, @namespace, name), null, cancellationToken);

    public Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject => Send("list", resource.Plural, "", () => session.List(resource, query), null, cancellationToken);

    public async Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var opened = await Send("watch", resource.Plural, "", () => session.Watch(resource, query), null, cancellationToken).ConfigureAwait(false);
        if (!opened.IsOk) return opened.As<IWatchStream<T>>();
        return new HostWatch<T>(host, resource.Plural, opened.Value!, query.Timeout ?? TimeSpan.FromMinutes(5), network);
    }

    public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send("create", resource.Plural, value.Metadata.Name ?? value.Metadata.GenerateName ?? "", () => session.Create(resource, value), () => { }, cancellationToken);

    public Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send("update", resource.Plural, value.Metadata.Name!, () => session.Update(resource, value), () => Meddle(resource, value.Metadata.Namespace, value.Metadata.Name!), cancellationToken);

    public Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send("patch", resource.Plural, name, () => session.Patch(resource, @namespace, name, patch), () => Meddle(resource, @namespace, name), cancellationToken);

    public Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send("delete", resource.Plural, name, () => session.Delete(resource, @namespace, name, uid), () => { }, cancellationToken);

    private void Meddle<T>(Resource<T> resource, string? @namespace, string name)
        where T : class, IKubeObject
    {
        others.Patch(resource, @namespace, name, Untouch);
        others.Patch(resource, @namespace, name, Touch);
    }

    /// <param name="meddle">What somebody else does just before; null for a reading request.</param>
    private async Task<ApiResult<T>> Send<T>(string verb, string plural, string name, Func<ApiResult<T>> carryOut, Action? meddle, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = new TaskCompletionSource<ApiResult<T>>();
        var fate = network.Draw(host, meddle is not null);
        if (trace.IsOn && (fate != Fate.Fine || meddle is not null)) trace.Write($"{host.Name} sends {verb} {plural} {name}{(fate == Fate.Fine ? "" : $": {fate}")}");
        if (meddle is not null) sending(host, plural);
        var isLate = fate is Fate.NeverArrives or Fate.ReplyLost;
        network.After(network.Delay(), () => Arrive(fate, carryOut, meddle, answer, isLate, cancellationToken));
        using var giveUp = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        return await answer.Task.ConfigureAwait(false);
    }

    private void Arrive<T>(Fate fate, Func<ApiResult<T>> carryOut, Action? meddle, TaskCompletionSource<ApiResult<T>> answer, bool isLate, CancellationToken cancellationToken)
        where T : class
    {
        // Given up or orphaned on the way: the server may have it already.
        if ((host.IsDead || cancellationToken.IsCancellationRequested) && network.IsLikely(0.5)) return;
        if (fate == Fate.Overtaken) meddle!();
        var result = fate switch
        {
            Fate.Refused => new ApiResult<T>(null, ApiError.Unavailable, "connection refused"),
            Fate.Throttled => new ApiResult<T>(null, ApiError.TooManyRequests, "too many requests", network.RetryAfter()),
            Fate.ServerError => new ApiResult<T>(null, ApiError.Unavailable, "internal error"),
            Fate.NeverArrives => new ApiResult<T>(null, ApiError.Unavailable, "no answer in time"),
            _ => carryOut(),
        };
        if (fate == Fate.ReplyLost) result = new ApiResult<T>(null, ApiError.Unavailable, "the connection broke");
        host.After(isLate ? network.Patience() : network.Delay(), () => answer.TrySetResult(result));
    }
}
