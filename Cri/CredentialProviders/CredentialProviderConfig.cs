using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>
/// Reads a CredentialProviderConfig as the kubelet does: same file, same rules, YAML or JSON. Pure. Whatever is wrong with it is
/// one sentence that says where, and what to do; it never quotes a value that may be a secret.
/// </summary>
public static class CredentialProviderConfig
{
    public const string Kind = "CredentialProviderConfig";

    private static readonly string[] ConfigVersions = ["kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1beta1", "kubelet.config.k8s.io/v1alpha1"];

    private static readonly string[] ProtocolVersions =
        ["credentialprovider.kubelet.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1beta1", "credentialprovider.kubelet.k8s.io/v1alpha1"];

    /// <param name="file">For the sentences.</param>
    /// <exception cref="CredentialProviderException">What is wrong.</exception>
    public static IReadOnlyList<CredentialProviderSpec> Parse(string text, string file)
    {
        var config = ConfigNode.Parse(text, file, $"one {Kind}", sentence => new CredentialProviderException(sentence));
        if (config.Text("kind") != Kind) throw config.Wrong($"is of another kind: set its kind to {Kind}");
        if (!ConfigVersions.Contains(config.Text("apiVersion"))) throw config.Wrong($"has an apiVersion that is not known: set it to {ConfigVersions[0]}");
        config.KnowsOnly("kind", "apiVersion", "providers");
        List<CredentialProviderSpec> providers = [.. config.Objects("providers", "provider").Select(Provider)];
        if (providers.Count == 0) throw config.Wrong("has no providers: name at least one, or leave the options of credential providers out");
        NoneTwice(providers, file);
        return providers;
    }

    /// <exception cref="CredentialProviderException">Two providers have one name.</exception>
    public static void NoneTwice(IEnumerable<CredentialProviderSpec> providers, string where)
    {
        var twice = providers.GroupBy(provider => provider.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null) throw new CredentialProviderException($"{where} has the provider \"{twice.Key}\" twice: give each a name of its own");
    }

    private static CredentialProviderSpec Provider(ConfigNode node)
    {
        var name = node.Text("name") ?? throw node.Wrong("has no name: name its executable");
        if (name is "" or "." or ".." || name.AsSpan().ContainsAny('/', ' ', '\0'))
            throw node.Wrong("has a name that is not one of a file: name its executable, without spaces and without its directory");
        node = node with { Where = $"{node.Where} \"{name}\"" };
        node.KnowsOnly("name", "matchImages", "defaultCacheDuration", "apiVersion", "args", "env", "tokenAttributes");
        return new CredentialProviderSpec
        {
            Name = name,
            ApiVersion = ProtocolVersions.FirstOrDefault(known => known == node.Text("apiVersion"))
                ?? throw node.Wrong($"has an apiVersion that is not known: set it to {ProtocolVersions[0]}, or for an old plugin to {ProtocolVersions[1]} or {ProtocolVersions[2]}"),
            MatchImages = MatchImages(node),
            DefaultCacheDuration = DefaultCacheDuration(node),
            Arguments = node.Texts("args"),
            Variables = [.. node.Objects("env", "env").Select(Variable)],
            NeedsServiceAccount = NeedsServiceAccount(node),
        };
    }

    private static IReadOnlyList<string> MatchImages(ConfigNode node)
    {
        var patterns = node.Texts("matchImages");
        if (patterns.Count == 0) throw node.Wrong("has no matchImages: name the registries that it is for, such as \"*.registry.example\"");
        foreach (var pattern in patterns)
        {
            if (pattern.Contains("://", StringComparison.Ordinal))
                throw node.Wrong($"has \"{pattern}\" in matchImages, which matches no image: leave out what stands before \"://\", and that");
            if (pattern.Length == 0 || pattern[0] is '/' or ':' || pattern.Any(char.IsWhiteSpace))
                throw node.Wrong($"has \"{pattern}\" in matchImages, which names no registry: write HOST, HOST:PORT or HOST/PATH");
        }
        return patterns;
    }

    private static TimeSpan DefaultCacheDuration(ConfigNode node)
    {
        var text = node.Text("defaultCacheDuration") ?? throw node.Wrong("has no defaultCacheDuration: set it, such as \"12h\", or \"0s\" for no cache");
        if (!GoDuration.TryParse(text, out var duration))
            throw node.Wrong($"has the defaultCacheDuration \"{text}\", which is not a duration such as 90s, 10m or 1h30m");
        return duration >= TimeSpan.Zero ? duration : throw node.Wrong("has a negative defaultCacheDuration: \"0s\" is for no cache");
    }

    private static KeyValuePair<string, string> Variable(ConfigNode node)
    {
        node.KnowsOnly("name", "value");
        if (node.Text("name") is not { Length: > 0 } name || name.AsSpan().ContainsAny('=', '\0'))
            throw node.Wrong("has no name of a variable: name it, without '='");
        return KeyValuePair.Create(name, node.Text("value") ?? "");
    }

    /// <summary>A plugin that can do without a service account's token is run without one; one that cannot is not run.</summary>
    private static bool NeedsServiceAccount(ConfigNode provider) => provider.Object("tokenAttributes") is { } attributes && attributes.Text("requireServiceAccount") switch
    {
        "true" => true,
        "false" => false,
        _ => throw attributes.Wrong("has no requireServiceAccount: set it to true or false"),
    };
}
