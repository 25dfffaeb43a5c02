using System.Runtime.CompilerServices;
using KruiseImage.Crds;
using KruiseImage.Cri.CredentialProviders;

namespace KruiseImage.Cri;

/// <summary>
/// What a pull shows the registry, one after the other, each once: the secrets that match, what the credential providers give,
/// nothing (contract 4.3). Lazy: no plugin is run as long as a secret will do.
/// </summary>
public sealed class PullCredentials(PullSecrets secrets, CredentialProviderSet providers)
{
    /// <param name="unread">Told of a secret for which the API server could not answer.</param>
    public async IAsyncEnumerable<RegistryCredential> For(PullEntry entry, Action<PullFailure> unread, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shown = new HashSet<RegistryCredential>();
        foreach (var credential in await secrets.For(entry, unread, cancellationToken).ConfigureAwait(false))
        {
            if (shown.Add(credential)) yield return credential;
        }
        await foreach (var credential in providers.For(entry.CanonicalName, cancellationToken).ConfigureAwait(false))
        {
            if (shown.Add(credential)) yield return credential;
        }
        yield return RegistryCredential.Anonymous;
    }
}
