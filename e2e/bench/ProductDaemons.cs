using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Modes;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KruiseImage.Bench;

/// <summary>
/// The product's own daemons, one for each node, whole but for two things: their NodeImages come from the one watch of the bench, and their
/// runtime pulls in no time. They answer in place of the hollow ones, which stay the bench's eyes.
/// </summary>
public sealed class ProductDaemons : IAsyncDisposable
{
    private readonly KubeClient server;
    private readonly DaemonMetrics metrics = new(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
    private readonly Dictionary<string, OneNode> nodes = [];
    private readonly List<Task> running = [];
    private readonly CancellationTokenSource end = new();

    public ProductDaemons(HollowDaemons eyes, string kubeconfig)
    {
        server = new KubeClient(ClusterConfig.Load(kubeconfig, null), "kruise-image-bench");
        eyes.IsAnswering = false;
        eyes.LineRead += Tell;
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(running);
        server.Dispose();
        end.Dispose();
    }

    private void Tell(ReadOnlyMemory<byte> line)
    {
        var told = WatchDecoder.Decode(new ReadOnlySequence<byte>(line), Resources.NodeImages);
        if (told.Object?.Metadata.Name is not { } name)
            return;
        if (!nodes.TryGetValue(name, out var node))
        {
            nodes[name] = node = new OneNode(server);
            running.Add(RunAsync(name, node));
        }
        node.Tell(told);
    }

    private async Task RunAsync(string name, OneNode node)
    {
        var settings = new DaemonSettings(null!, name, [], new PullLimits { JitterSeed = name }, [], SecretCopy.DefaultNamespace, "", LogLevel.None);
        using var memory = new IdleMemory(TimeProvider.System, static () => { });
        try
        {
            await new Daemon(settings, node, new QuickRuntime(), metrics, memory, NullLoggerFactory.Instance, TimeProvider.System, new Random(nodes.Count)).Run(end.Token);
        }
        catch (Exception bug)
        {
            await Console.Error.WriteLineAsync($"bench: the daemon of {name} ended: {bug}"); // now, not when the workload has waited in vain
            throw;
        }
    }

    /// <summary>The API server as the daemon of one node sees it: its NodeImage is what it is told here, the rest goes to the real one.</summary>
    private sealed class OneNode(IKubeClient server) : IKubeClient, IWatchStream<NodeImage>
    {
        private readonly Channel<WatchEvent<NodeImage>> told = Channel.CreateUnbounded<WatchEvent<NodeImage>>();

        public void Tell(WatchEvent<NodeImage> seen) => told.Writer.TryWrite(seen);

        public Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
            where T : class, IKubeObject => Task.FromResult<ApiResult<ObjectList<T>>>(new ObjectList<T> { Metadata = new() { ResourceVersion = "1" } });

        public Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
            where T : class, IKubeObject => Task.FromResult(new ApiResult<IWatchStream<T>>((IWatchStream<T>)(object)this, ApiError.None));

        public async ValueTask<WatchEvent<NodeImage>?> Next(CancellationToken cancellationToken) => await told.Reader.ReadAsync(cancellationToken);

        public Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
            where T : class, IKubeObject => server.Patch(resource, @namespace, name, patch, cancellationToken);

        public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
            where T : class, IKubeObject => server.Create(resource, value, cancellationToken);

        public Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
            where T : class, IKubeObject => server.Get(resource, @namespace, name, cancellationToken);

        public Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException("a daemon replaces nothing");

        public Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException("a daemon deletes nothing");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A runtime to which every pull has come as soon as it is asked for, and which tells no progress.</summary>
    private sealed class QuickRuntime : INodeRuntime
    {
        private readonly ConcurrentDictionary<string, PresentImage> images = new();

        public Task Find(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask<string?> WhyNotReady(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

        public Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken) =>
            Task.FromResult(new RuntimeAnswer<PresentImage?>(images.GetValueOrDefault(reference), null));

        public Task<RuntimeAnswer<string>> Pull(string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken)
        {
            var image = images[reference] = new($"{reference}@sha256:{new string('a', 64)}", 1 << 20);
            return Task.FromResult<RuntimeAnswer<string>>(image.ImageID);
        }

        public Task<string?> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public Task<bool> Release(string reference, bool freesBytes, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<IReadOnlyList<string>> Leased(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

        public IPullProgressReader? ProgressOf(string canonicalName, string tagOrDigest, DateTimeOffset pullStart) => null;
    }
}
