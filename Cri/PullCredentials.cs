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
    public async IAsyncEnumerable<RegistryCredential> For(PullEntry entry, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shown = new HashSet<RegistryCredential>();
        foreach (var credential in await secrets.For(entry, cancellationToken).ConfigureAwait(false))
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
