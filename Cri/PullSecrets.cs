using System.Collections.Concurrent;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// Reads the secrets that a NodeImage names and turns them into credentials for one image. Pulls call it. Kept for a short time
/// only; a secret that is missing or malformed is told once and skipped: the pull goes on with what there is (contract 4.3, 4.5).
/// It must never log or return a secret's content.
/// </summary>
public sealed partial class PullSecrets(IKubeClient client, TimeProvider clock, ILogger<PullSecrets> logger)
{
    private const int MostKept = 64;
    private static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);

    /// <summary>Credentials to try, in this order; last without any.</summary>
    public async Task<IReadOnlyList<RegistryCredential>> For(PullEntry entry, CancellationToken cancellationToken)
    {
        var located = new List<LocatedCredential>();
        foreach (var reference in entry.PullSecrets)
        {
            if (reference.Name is not { Length: > 0 } name) continue;
            located.AddRange(await Read(reference.Namespace ?? "default", name, cancellationToken).ConfigureAwait(false));
        }
        return [.. RegistryKeyring.Lookup(entry.CanonicalName, located), RegistryCredential.Anonymous];
    }

    private async Task<IReadOnlyList<LocatedCredential>> Read(string @namespace, string name, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(@namespace, name);
        var known = _kept.GetValueOrDefault(key);
        if (known is not null && clock.GetUtcNow() - known.ReadAt < KeepFor) return known.Credentials;

        var answer = await client.Get(Resources.Secrets, @namespace, name, cancellationToken).ConfigureAwait(false);
        var read = answer.IsOk ? DockerConfig.Read(answer.Value!) : new SecretCredentials([], [$"cannot be read: {answer.Message}"]);
        var problem = string.Join("; ", read.Problems);
        if (problem.Length > 0 && problem != known?.Problem) LogSkipped(key, problem);
        if (_kept.Count >= MostKept) _kept.Clear();
        _kept[key] = new Kept(read.Credentials, problem, clock.GetUtcNow());
        return read.Credentials;
    }

    private sealed record Kept(IReadOnlyList<LocatedCredential> Credentials, string Problem, DateTimeOffset ReadAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "secret {Key} {Problem}")]
    private partial void LogSkipped(string key, string problem);
}
