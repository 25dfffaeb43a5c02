using System.Runtime.CompilerServices;
using KruiseImage.Crds;
using KruiseImage.Cri.CredentialProviders;

namespace KruiseImage.Cri;

/// <summary>What a pull shows the registry, one after the other until one is let in; the last is nothing.</summary>
public interface IPullCredentials
{
    /// <param name="unread">Told of what could not be read now and may well be the right one: then a refusal is not final.</param>
    IAsyncEnumerable<RegistryCredential> For(PullEntry entry, Action<PullFailure> unread, CancellationToken cancellationToken);
}

/// <summary>
/// What a daemon's pull shows the registry, one after the other, each once: the secrets that match, what the credential providers give,
/// nothing (contract 4.3). Lazy: no plugin is run as long as a secret will do.
/// </summary>
public sealed class PullCredentials(PullSecrets secrets, CredentialProviderSet providers) : IPullCredentials
{
    /// <summary>Each needs a secret that changed since the one before.</summary>
    private const int MostRounds = 3;

    public async IAsyncEnumerable<RegistryCredential> For(PullEntry entry, Action<PullFailure> unread, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shown = new HashSet<RegistryCredential>();
        // Once more when all were refused: a password that is rotated under a long pull is refused in its middle, and the secret has the
        // next one by then.
        for (var (round, news) = (0, true); news && round < MostRounds; round++)
        {
            news = false;
            foreach (var credential in await secrets.For(entry, unread, cancellationToken).ConfigureAwait(false))
            {
                if (!shown.Add(credential)) continue;
                news = true;
                yield return credential;
            }
        }
        await foreach (var credential in providers.For(entry.CanonicalName, cancellationToken).ConfigureAwait(false))
        {
            if (shown.Add(credential)) yield return credential;
        }
        yield return RegistryCredential.Anonymous;
    }
}
