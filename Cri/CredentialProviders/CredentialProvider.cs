using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>
/// One credential provider: answers from its cache, else runs its plugin, one run at a time for an image, however many ask.
///   pull → cache → shared run → PluginProcess → ProviderProtocol → cache
/// A plugin that fails is told once for each problem and gives no credentials; it never fails a pull. Nothing that it prints is logged.
/// </summary>
internal sealed partial class CredentialProvider(CredentialProviderSpec spec, TimeProvider clock, ILogger logger)
{
    private const int MostCached = 256;

    /// <summary>As long as the kubelet waits.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly CredentialCache _cache = new(MostCached);
    private readonly Dictionary<string, SharedRun<ProvidedCredentials>> _runs = new(StringComparer.Ordinal);
    private string? _problem;

    public bool Serves(string image) => spec.Serves(image);

    /// <param name="image">Name without tag and digest.</param>
    public async Task<ProvidedCredentials> Get(string image, CancellationToken cancellationToken)
    {
        SharedRun<ProvidedCredentials>? run;
        Task<ProvidedCredentials> answer;
        lock (_gate)
        {
            if (_cache.Find(image, clock.GetUtcNow()) is { } known) return known;
            if (!_runs.TryGetValue(image, out run) || run.IsOver) _runs[image] = run = new(abandoned => Run(image, abandoned));
            answer = run.Join();
        }
        try
        {
            return await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            bool isLast;
            lock (_gate)
            {
                isLast = run.Leave();
                if (isLast && _runs.GetValueOrDefault(image) == run) _runs.Remove(image);
            }
            if (isLast) await run.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What was obtained at that moment is not given again.</summary>
    public void Forget(string image, DateTimeOffset since)
    {
        lock (_gate) _cache.Forget(image, since);
    }

    private async Task<ProvidedCredentials> Run(string image, CancellationToken abandoned)
    {
        using var timeout = new CancellationTokenSource(Longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abandoned, timeout.Token);
        try
        {
            var command = new PluginCommand(spec.Path)
            {
                Arguments = spec.Arguments,
                Environment = spec.Variables,
                Input = ProviderProtocol.Request(spec.ApiVersion, image),
                HidesErrors = true,
            };
            var run = await PluginProcess.Run(command, either.Token).ConfigureAwait(false);
            var problem = run.Problem ?? "";
            var response = problem.Length == 0 ? ProviderProtocol.Read(run.Output, spec.ApiVersion, out problem) : null;
            return response is null ? Skip(image, problem) : Keep(image, response);
        }
        catch (OperationCanceledException) when (!abandoned.IsCancellationRequested)
        {
            return Skip(image, $"did not answer within {Longest.TotalSeconds:0} seconds");
        }
    }

    private ProvidedCredentials Keep(string image, ProviderResponse response)
    {
        lock (_gate)
        {
            _problem = null;
            _cache.Keep(response.CacheKeyType, image, response.Credentials, response.CacheDuration ?? spec.DefaultCacheDuration, clock.GetUtcNow());
        }
        return new ProvidedCredentials(response.Credentials, null);
    }

    private ProvidedCredentials Skip(string image, string problem)
    {
        bool isNew;
        lock (_gate)
        {
            isNew = problem != _problem;
            _problem = problem;
        }
        if (isNew) LogSkipped(spec.Name, problem, image);
        return ProvidedCredentials.None;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "credential provider {Name} {Problem}, asked for {Image}; pulls go on without it. Run it by hand to see why")]
    private partial void LogSkipped(string name, string problem, string image);
}
