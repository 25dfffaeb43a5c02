using System.Collections.Concurrent;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// Reads the secrets that a NodeImage names and turns them into credentials for one image. PullCredentials calls it, and each time
/// it reads anew: a refused password is not tried again, so a pull that began with the one before the last change would fail for
/// good. A secret that is missing or malformed is told once and skipped: the pull goes on with what there is (contract 4.3, 4.5).
/// It must never log or return a secret's content, nor ask for one of another namespace than the daemons' own.
/// </summary>
public sealed partial class PullSecrets(IKubeClient client, string secretNamespace, ILogger<PullSecrets> logger)
{
    private const int MostTold = 64;

    /// <summary>Secret to what was wrong with it when it was last read.</summary>
    private readonly ConcurrentDictionary<string, string> _told = new(StringComparer.Ordinal);

    /// <summary>Credentials that match, in the order in which to try them.</summary>
    /// <param name="unread">Told when the API server could not answer for a secret: it may well be the right one.</param>
    public async Task<IReadOnlyList<RegistryCredential>> For(PullEntry entry, Action<PullFailure> unread, CancellationToken cancellationToken)
    {
        var located = new List<LocatedCredential>();
        foreach (var reference in entry.PullSecrets)
        {
            // What is no name must not come into the path of a request: a person may have written it.
            if (!Validation.IsObjectName(reference.Name)) continue;
            if (reference.Namespace != secretNamespace)
            {
                Tell($"{reference.Namespace}/{reference.Name}", $"is not in {secretNamespace}, the one namespace that daemons read");
                continue;
            }

            var read = await Read(reference.Name!, cancellationToken).ConfigureAwait(false);
            if (Serves(read, entry)) located.AddRange(read.Credentials);
            if (read.Unread is { } failure) unread(failure);
        }
        return RegistryKeyring.Lookup(entry.CanonicalName, located);
    }

    /// <summary>
    /// A NodeImage names secrets for all tags of an image together. A credential is for the entries that a job of its namespace owns
    /// (contract 4.2), and one that a person put into the daemons' namespace for the entries of persons too.
    /// </summary>
    private static bool Serves(ReadSecret secret, PullEntry entry) =>
        entry.Owners.Any(owner => owner.Kind == nameof(ImagePullJob) && owner.Namespace == secret.ServedNamespace)
        || (!secret.IsCopy && (entry.Owners.Count == 0 || entry.Owners.Any(owner => owner.Kind != nameof(ImagePullJob))));

    private async Task<ReadSecret> Read(string name, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(secretNamespace, name);
        var answer = await client.Get(Resources.Secrets, secretNamespace, name, cancellationToken).ConfigureAwait(false);
        var read = answer.IsOk ? DockerConfig.Read(answer.Value!) : new SecretCredentials([], [$"cannot be read: {answer.Message}"]);
        var problem = string.Join("; ", read.Problems);
        Tell(key, problem);
        return new ReadSecret(read.Credentials)
        {
            ServedNamespace = answer.IsOk ? SecretCopy.NamespaceServed(answer.Value!) : "",
            IsCopy = answer.IsOk && SecretCopy.SourceKey(answer.Value!) is not null,
            // Forbidden, too: a server that starts refuses everybody until it has read its roles.
            Unread = answer.Error is ApiError.Unavailable or ApiError.TooManyRequests or ApiError.Unauthorized or ApiError.Forbidden
                ? new PullFailure(PullReason.Unknown, $"the pull secret {key} cannot be read: {answer.Message}", answer.RetryAfter) : null,
        };
    }

    private void Tell(string key, string problem)
    {
        if (problem.Length == 0)
        {
            _told.TryRemove(key, out _);
            return;
        }

        if (problem != _told.GetValueOrDefault(key)) LogSkipped(key, problem);
        if (_told.Count >= MostTold) _told.Clear();
        _told[key] = problem;
    }

    private sealed record ReadSecret(IReadOnlyList<LocatedCredential> Credentials)
    {
        public required string ServedNamespace { get; init; }
        public required bool IsCopy { get; init; }
        public required PullFailure? Unread { get; init; }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "secret {Key} {Problem}")]
    private partial void LogSkipped(string key, string problem);
}
