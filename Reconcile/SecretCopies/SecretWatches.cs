using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.SecretCopies;

/// <summary>
/// One watch per secret that an unfinished job names, filtered by the server to that one object: the secrets of a cluster are never
/// in memory. Started and stopped by the board; tells it what the secret is now.
/// </summary>
public sealed class SecretWatches(IKubeClient client, TimeProvider clock, Random random, ILoggerFactory loggers) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ScopedInformer<Secret>> _watches = new(StringComparer.Ordinal);

    public void Follow(string source, bool isFollowed, SecretBoard board)
    {
        lock (_gate)
        {
            if (_watches.Remove(source, out var known)) known.Dispose();
            if (isFollowed) _watches[source] = Start(source, board);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var watch in _watches.Values) watch.Dispose();
            _watches.Clear();
        }
    }

    private ScopedInformer<Secret> Start(string source, SecretBoard board)
    {
        var (@namespace, name) = ObjectKey.Split(source);
        var watch = new ScopedInformer<Secret>(client, Resources.Secrets, new ListQuery { Namespace = @namespace, FieldSelector = $"metadata.name={name}" }, clock, random, loggers);
        watch.Store.Changed += (_, after) =>
        {
            if (!watch.IsStopped) board.OnSource(source, after);
        };
        watch.Store.Synced += () =>
        {
            if (!watch.IsStopped) board.OnSourceListed(source);
        };
        watch.Start();
        return watch;
    }
}
