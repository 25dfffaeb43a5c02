using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Bed;

/// <summary>What goes wrong for one repository; nothing by default.</summary>
/// <param name="BytesPerSecond">Each blob comes at this rate.</param>
/// <param name="Status">Every request is answered with this status.</param>
/// <param name="Hang">Blobs are answered never.</param>
public sealed record Fault(int? BytesPerSecond = null, HttpStatusCode? Status = null, bool Hang = false)
{
    private int corrupted;

    /// <summary>Nothing is answered at all.</summary>
    public bool IsSilent { get; init; }

    /// <summary>What <see cref="Status"/> comes with; containerd's own client does not read it.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>So many bytes of an answer come, and then no more.</summary>
    public long? StallAfter { get; init; }

    /// <summary>So many bytes of an answer come, and then the connection is reset.</summary>
    public long? ResetAfter { get; init; }

    /// <summary>So many answers come with a wrong byte.</summary>
    public int Corruptions { get; init; }

    internal bool Corrupts() => Interlocked.Increment(ref corrupted) <= Corruptions;
}

/// <summary>One request of a node, as the registry saw it.</summary>
public sealed record RegistryRequest(string Node, string Method, string Path, DateTimeOffset At)
{
    private long sent;

    /// <summary>The first byte that was asked for.</summary>
    public long From { get; init; }

    /// <summary>What was answered; 0 as long as nothing is.</summary>
    public int Status { get; internal set; }

    /// <summary>Bytes of a blob that the node was given.</summary>
    public long Sent => Volatile.Read(ref sent);

    public bool IsBlob => Path.Contains("/blobs/", StringComparison.Ordinal);

    internal void Count(long bytes) => Interlocked.Add(ref sent, bytes);
}

/// <summary>
/// Stands between the nodes and the registry. Each node has a port of its own here, so the proxy knows which node downloads what and
/// when: the scenarios ask it, and not a status, how many nodes were pulling at once. Faults are set for a repository, so that
/// scenarios do not disturb each other.
/// </summary>
public sealed class RegistryProxy : IAsyncDisposable
{
    private static readonly string[] passedOn = ["Accept", "Authorization", "Range", "If-None-Match"];
    private static readonly string[] passedBack = ["Docker-Content-Digest", "Etag", "Docker-Distribution-Api-Version", "WWW-Authenticate"];

    private readonly HttpClient registry;
    private WebApplication application;
    private readonly Dictionary<string, int> ports;
    private readonly ConcurrentDictionary<string, Fault> faults = new();
    private readonly ConcurrentQueue<(string Repository, RegistryRequest Request)> requests = new();
    private readonly Lock gate = new();
    private readonly Dictionary<(string Repository, string Node), int> downloads = [];
    private readonly Dictionary<string, int> mostNodesAtOnce = [];

    public RegistryProxy(Uri registryAddress, IEnumerable<string> nodes)
    {
        registry = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = registryAddress };
        ports = nodes.ToDictionary(node => node, _ => Ports.Free());
        application = Build();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero); // who goes down finishes nothing
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            foreach (var port in ports.Values)
                kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var built = builder.Build();
        built.Run(ForwardAsync);
        return built;
    }

    public Task StartAsync(CancellationToken cancellationToken) => application.StartAsync(cancellationToken);

    /// <summary>Nobody listens any longer: connections are refused, and those that are open end. Until <see cref="StartAsync"/>.</summary>
    public async Task CloseAsync()
    {
        await application.DisposeAsync();
        application = Build();
    }

    public Uri AddressFor(string node) => new($"http://127.0.0.1:{ports[node]}");

    /// <summary>Takes effect at once, in the middle of a download too.</summary>
    public void Set(string repository, Fault fault) => faults[repository] = fault;

    public void Heal(string repository) => faults.TryRemove(repository, out _);

    public IReadOnlyList<RegistryRequest> Requests(string repository) =>
        [.. requests.Where(entry => entry.Repository == repository).Select(entry => entry.Request)];

    /// <summary>The nodes that are downloading a blob of the repository at this moment.</summary>
    public IReadOnlyList<string> Downloading(string repository)
    {
        lock (gate)
            return [.. downloads.Where(entry => entry.Key.Repository == repository && entry.Value > 0).Select(entry => entry.Key.Node).Order()];
    }

    public int MostNodesAtOnce(string repository)
    {
        lock (gate)
            return mostNodesAtOnce.GetValueOrDefault(repository);
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        registry.Dispose();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var node = ports.First(entry => entry.Value == context.Connection.LocalPort).Key;
        var path = context.Request.Path.Value ?? "/";
        var repository = Repository(path);
        var seen = new RegistryRequest(node, context.Request.Method, path, DateTimeOffset.UtcNow)
        {
            From = context.Request.GetTypedHeaders().Range?.Ranges.First().From ?? 0,
        };
        requests.Enqueue((repository, seen));

        try
        {
            while (FaultOf(repository).IsSilent)
                await Task.Delay(50, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
            return;
        }
        if (FaultOf(repository) is { Status: { } status } fault)
        {
            context.Response.StatusCode = seen.Status = (int)status;
            if (fault.RetryAfterSeconds is { } seconds)
                context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return;
        }
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), path);
        foreach (var name in passedOn)
            request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)context.Request.Headers[name]);
        try
        {
            using var response = await registry.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
            context.Response.StatusCode = seen.Status = (int)response.StatusCode;
            foreach (var name in passedBack)
                if (response.Headers.TryGetValues(name, out var values))
                    context.Response.Headers[name] = values.ToArray();
            foreach (var (name, values) in response.Content.Headers)
                context.Response.Headers[name] = values.ToArray();
            if (context.Request.Method != HttpMethods.Head)
                await CopyAsync(response, context, repository, seen);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort(); // the node cancelled its pull: there is nobody left to answer
        }
    }

    private async Task CopyAsync(HttpResponseMessage response, HttpContext context, string repository, RegistryRequest seen)
    {
        var cancellation = context.RequestAborted;
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        if (!seen.IsBlob)
        {
            await body.CopyToAsync(context.Response.Body, cancellation);
            return;
        }
        Count(repository, seen.Node, +1);
        var isCorrupt = FaultOf(repository).Corrupts();
        var isCounted = true;
        try
        {
            var buffer = new byte[64 << 10];
            for (var left = response.Content.Headers.ContentLength ?? long.MaxValue; ;)
            {
                while (FaultOf(repository) is var now && (now.Hang || now.StallAfter <= seen.Sent))
                    await Task.Delay(50, cancellation);
                // A tenth of a second's worth at a time.
                var rate = FaultOf(repository).BytesPerSecond;
                var count = await body.ReadAsync(buffer.AsMemory(0, rate is { } limit ? Math.Clamp(limit / 10, 1, buffer.Length) : buffer.Length), cancellation);
                if (count == 0)
                    return;
                if (FaultOf(repository).ResetAfter <= seen.Sent)
                {
                    context.Abort();
                    return;
                }
                if (isCorrupt && seen.Sent == 0)
                    buffer[count - 1] ^= 1;
                if (rate is { } bytesPerSecond)
                    await Task.Delay(TimeSpan.FromSeconds((double)count / bytesPerSecond), cancellation);
                if ((left -= count) <= 0)
                    isCounted = Leave(); // before the last bytes: with them the node may be done, and the next one here, sooner than we
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), cancellation);
                seen.Count(count);
            }
        }
        finally
        {
            if (isCounted)
                Leave();
        }

        bool Leave()
        {
            Count(repository, seen.Node, -1);
            return false;
        }
    }

    private void Count(string repository, string node, int change)
    {
        lock (gate)
        {
            downloads[(repository, node)] = downloads.GetValueOrDefault((repository, node)) + change;
            var nodes = downloads.Count(entry => entry.Key.Repository == repository && entry.Value > 0);
            mostNodesAtOnce[repository] = Math.Max(mostNodesAtOnce.GetValueOrDefault(repository), nodes);
        }
    }

    private Fault FaultOf(string repository) => faults.GetValueOrDefault(repository) ?? new Fault();

    // "/v2/library/nginx/manifests/1.9.1" is about "library/nginx".
    private static string Repository(string path)
    {
        var end = path.IndexOf("/manifests/", StringComparison.Ordinal);
        if (end < 0)
            end = path.IndexOf("/blobs/", StringComparison.Ordinal);
        return end > 4 ? path[4..end] : "";
    }
}
