using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Kube;

/// <summary>An API server of which a test overrides what it needs; whatever else is asked is a mistake of the test.</summary>
internal abstract class StubClient : IKubeClient
{
    public virtual Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public virtual Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public virtual Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public virtual Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public virtual Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public virtual Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();

    public virtual Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
        where T : class, IKubeObject => throw new NotSupportedException();
}
