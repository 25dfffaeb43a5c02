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

    /// <summary>Short, because a wrong password is not tried again: a changed one must be seen by the next pull.</summary>
    private static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);

    /// <summary>Credentials to try, in this order; last without any.</summary>
    public async Task<IReadOnlyList<RegistryCredential>> For(PullEntry entry, CancellationToken cancellationToken)
    {
        var located = new List<LocatedCredential>();
        foreach (var reference in entry.PullSecrets)
        {
            if (reference.Name is not { Length: > 0 } name) continue;
            var kept = await Read(reference.Namespace ?? "default", name, cancellationToken).ConfigureAwait(false);
            if (Serves(kept, entry)) located.AddRange(kept.Credentials);
        }
        return [.. RegistryKeyring.Lookup(entry.CanonicalName, located), RegistryCredential.Anonymous];
    }

    /// <summary>
    /// A NodeImage names secrets for all tags of an image together. A credential is for the entries that a job of its namespace owns
    /// (contract 4.2), and one that a person put into the daemons' namespace for the entries of persons too.
    /// </summary>
    private static bool Serves(Kept secret, PullEntry entry) =>
        entry.Owners.Any(owner => owner.Kind == nameof(ImagePullJob) && owner.Namespace == secret.ServedNamespace)
        || (!secret.IsCopy && (entry.Owners.Count == 0 || entry.Owners.Any(owner => owner.Kind != nameof(ImagePullJob))));

    private async Task<Kept> Read(string @namespace, string name, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(@namespace, name);
        var known = _kept.GetValueOrDefault(key);
        if (known is not null && clock.GetUtcNow() - known.ReadAt < KeepFor) return known;

        var answer = await client.Get(Resources.Secrets, @namespace, name, cancellationToken).ConfigureAwait(false);
        var read = answer.IsOk ? DockerConfig.Read(answer.Value!) : new SecretCredentials([], [$"cannot be read: {answer.Message}"]);
        var problem = string.Join("; ", read.Problems);
        if (problem.Length > 0 && problem != known?.Problem) LogSkipped(key, problem);
        if (_kept.Count >= MostKept) _kept.Clear();
        return _kept[key] = new Kept(read.Credentials, problem, clock.GetUtcNow())
        {
            ServedNamespace = answer.IsOk ? SecretCopy.NamespaceServed(answer.Value!) : "",
            IsCopy = answer.IsOk && SecretCopy.SourceKey(answer.Value!) is not null,
        };
    }

    private sealed record Kept(IReadOnlyList<LocatedCredential> Credentials, string Problem, DateTimeOffset ReadAt)
    {
        public required string ServedNamespace { get; init; }
        public required bool IsCopy { get; init; }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "secret {Key} {Problem}")]
    private partial void LogSkipped(string key, string problem);
}
