using KruiseImage.Crds;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>One provider of a CredentialProviderConfig, checked: what is run for which images, and how long its answers hold.</summary>
public sealed record CredentialProviderSpec
{
    /// <summary>Also the name of the executable in the directory of plugins.</summary>
    public required string Name { get; init; }
    /// <summary>The version of the protocol that is spoken with it.</summary>
    public required string ApiVersion { get; init; }
    public required IReadOnlyList<string> MatchImages { get; init; }
    public required TimeSpan DefaultCacheDuration { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public IReadOnlyList<KeyValuePair<string, string>> Variables { get; init; } = [];

    /// <summary>
    /// It is run only with the token of a pod's service account. A pull ahead of any pod has none, so it is not run; the kubelet does
    /// the same for a pod without a service account.
    /// </summary>
    public bool NeedsServiceAccount { get; init; }

    /// <summary>Where the executable is.</summary>
    public string Path { get; init; } = "";

    /// <param name="canonicalName">"docker.io/library/nginx".</param>
    public bool Serves(string canonicalName) => MatchImages.Any(pattern => RegistryKeyring.Matches(pattern, canonicalName));
}

/// <summary>One sentence for the operator: what is wrong with the configuration of credential providers, and what to do.</summary>
public sealed class CredentialProviderException(string sentence) : Exception(sentence);
