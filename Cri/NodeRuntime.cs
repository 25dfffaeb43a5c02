using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// The node's container runtime: the first of the candidate sockets whose CRI answers, found again after it went away. The sync
/// loop starts a search when a pull finds nobody; it never polls while idle. Readiness asks <see cref="WhyNotReady"/>.
/// </summary>
public sealed partial class NodeRuntime(IReadOnlyList<RuntimeEndpoint> candidates, LeaseMark mark, TimeProvider clock, ILogger<NodeRuntime> logger) : INodeRuntime, IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly PullFailure _absent = new(PullReason.RuntimeUnavailable, $"no container runtime answers at {string.Join(", ", candidates)}");
    private volatile RuntimeClient? _client;

    public async Task Find(CancellationToken cancellationToken)
    {
        var isSaid = false;
        for (var pause = FirstPause; !await TryFind(cancellationToken).ConfigureAwait(false); pause = Longer(pause))
        {
            if (!isSaid) LogAbsent(string.Join(", ", candidates.Select(Describe)));
            isSaid = true;
            await Task.Delay(pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<string?> WhyNotReady(CancellationToken cancellationToken)
    {
        if (_client is not { } client) return _absent.Message;
        var answer = await client.Version(AnswerTimeout, cancellationToken).ConfigureAwait(false);
        return answer.Failure is null ? null : $"the container runtime at {client.Endpoint} does not answer";
    }

    public async Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken) =>
        _client is { } client ? await client.Image(reference, cancellationToken).ConfigureAwait(false) : _absent;

    public async Task<RuntimeAnswer<string>> Pull(
        string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken) =>
        _client is { } client ? await client.Pull(reference, credential, sandbox, lease, cancellationToken).ConfigureAwait(false) : _absent;

    public async Task<string?> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken) =>
        _client is { } client ? Heard(await client.Leases.Hold(reference, timeout, cancellationToken).ConfigureAwait(false), null) : null;

    public async Task<bool> Release(string reference, bool freesBytes, CancellationToken cancellationToken) =>
        _client is { } client && Heard(await client.Leases.Release(reference, freesBytes, cancellationToken).ConfigureAwait(false), false);

    public async Task<IReadOnlyList<string>> Leased(CancellationToken cancellationToken) =>
        _client is { } client ? Heard(await client.Leases.References(cancellationToken).ConfigureAwait(false), []) : [];

    public IPullProgressReader? ProgressOf(string canonicalName, string tagOrDigest, DateTimeOffset pullStart) =>
        _client is { } client ? new ContentProgress(client.Content, canonicalName, tagOrDigest, pullStart) : null;

    public void Dispose() => _client?.Dispose();

    private async Task<bool> TryFind(CancellationToken cancellationToken)
    {
        foreach (var candidate in candidates)
        {
            var known = _client;
            var client = known?.Endpoint == candidate ? known : new RuntimeClient(candidate, mark, clock);
            var version = await client.Version(AnswerTimeout, cancellationToken).ConfigureAwait(false);
            if (version.Failure is null)
            {
                // A replaced client is not disposed of: calls may be on it, and they end by themselves.
                _client = client;
                LogFound(version.Value!, candidate);
                return true;
            }
            if (client != known) client.Dispose();
        }
        return false;
    }

    /// <summary>Leases spare bytes; that there are none must never cost a pull.</summary>
    private T Heard<T>(RuntimeAnswer<T> answer, T otherwise)
    {
        if (answer.Failure is null) return answer.Value!;
        LogNoLease(answer.Failure.Message);
        return otherwise;
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private static string Describe(RuntimeEndpoint endpoint) => File.Exists(endpoint.SocketPath) ? $"{endpoint} (no answer)" : $"{endpoint} (no such socket)";

    [LoggerMessage(Level = LogLevel.Information, Message = "found {Version} at {Endpoint}")]
    private partial void LogFound(string version, RuntimeEndpoint endpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a lease in the container runtime: {Message}. Pulls go on, but one that is cut off may start anew")]
    private partial void LogNoLease(string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "no container runtime answers, trying on: {Tried}. Start it, or name its socket with --runtime-endpoint")]
    private partial void LogAbsent(string tried);
}
