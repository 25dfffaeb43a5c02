using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// A store and its reflector for a part of a kind, for as long as somebody needs it: a job's pods, one secret. Whoever made it
/// subscribes to the store, starts it once, and disposes of it; an event that is under way then may still come.
/// </summary>
public sealed class ScopedInformer<T>(IKubeClient client, Resource<T> resource, ListQuery query, TimeProvider clock, Random random, ILoggerFactory loggers) : IDisposable
    where T : class, IKubeObject
{
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _isStopped;

    public Store<T> Store { get; } = new();

    public bool IsStopped => _isStopped;

    public void Start() => _ = new Reflector<T>(client, resource, query, Store, clock, random, loggers.CreateLogger<Reflector<T>>()).Run(_stop.Token);

    public void Dispose()
    {
        _isStopped = true;
        _stop.Cancel();
        _stop.Dispose();
    }
}
