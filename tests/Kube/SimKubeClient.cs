using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;

namespace KruiseImage.Tests.Kube;

/// <summary>A session of the simulated API server as an IKubeClient that answers at once.</summary>
internal sealed class SimKubeClient(SimSession session) : IKubeClient
{
    public Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject => Task.FromResult(session.Get(resource, @namespace, name));

    public Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject => Task.FromResult(session.List(resource, query));

    public Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var watch = session.Watch(resource, query);
        return Task.FromResult(watch.IsOk ? new ApiResult<IWatchStream<T>>(new SimStream<T>(watch.Value!), ApiError.None) : watch.As<IWatchStream<T>>());
    }

    public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject => Task.FromResult(session.Create(resource, value));

    public Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject => Task.FromResult(session.Update(resource, value));

    public Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        where T : class, IKubeObject => Task.FromResult(session.Patch(resource, @namespace, name, patch));

    public Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
        where T : class, IKubeObject => Task.FromResult(session.Delete(resource, @namespace, name, uid));

    /// <summary>When nothing is left to say, time has passed: a bookmark comes, and then the watch ends.</summary>
    private sealed class SimStream<T>(SimWatch<T> watch) : IWatchStream<T>
        where T : class, IKubeObject
    {
        private bool _saidGoodbye;

        public ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken)
        {
            if (watch.TryNext(out var next)) return new(next);
            if (watch.IsOver || _saidGoodbye) return new((WatchEvent<T>?)null);
            _saidGoodbye = true;
            watch.Bookmark();
            return Next(cancellationToken);
        }

        public void ShareWith(ILister<T> cache) => watch.ShareWith(cache);

        public ValueTask DisposeAsync()
        {
            watch.End();
            return ValueTask.CompletedTask;
        }
    }
}
