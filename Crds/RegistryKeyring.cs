namespace KruiseImage.Crds;

/// <summary>
/// Which credentials go with which image, by the rules of the kubelet's keyring: host with or without scheme and port, globs within
/// the labels of a host, path prefixes, most specific first. Pure.
/// </summary>
public static class RegistryKeyring
{
    private const string DockerHub = "docker.io";

    /// <summary>All that match, most specific first, each once. Credentials without a location match any image, last.</summary>
    /// <param name="canonicalName">"docker.io/library/nginx".</param>
    public static IReadOnlyList<RegistryCredential> Lookup(string canonicalName, IEnumerable<LocatedCredential> credentials) =>
    [
        .. credentials
            .Where(located => located.Location.Length == 0 || Matches(located.Location, canonicalName))
            .OrderByDescending(located => located.Location, StringComparer.Ordinal)
            .Select(located => located.Credential)
            .Distinct(),
    ];

    /// <summary>"https://quay.io/v1/" → "quay.io"; "registry.test:5000/team/" → "registry.test:5000/team".</summary>
    public static string Normalize(string location)
    {
        var scheme = location.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? location : location[(scheme + 3)..];
        rest = rest[(rest.LastIndexOf('@') + 1)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? "" : rest[slash..];
        // Docker writes the version of the API it logged in with.
        if (path is "/v1" or "/v2" || path.StartsWith("/v1/", StringComparison.Ordinal) || path.StartsWith("/v2/", StringComparison.Ordinal)) path = path[3..];
        host = host.ToLowerInvariant() is "index.docker.io" or "registry-1.docker.io" ? DockerHub : host.ToLowerInvariant();
        return host + path.TrimEnd('/');
    }

    private static bool Matches(string location, string canonicalName)
    {
        var (host, port, path) = Split(location);
        var (imageHost, imagePort, imagePath) = Split(canonicalName);
        // A port must be named to be matched: other ports are other registries.
        return port == imagePort && imagePath.StartsWith(path, StringComparison.Ordinal) && HostMatches(host, imageHost);
    }

    private static bool HostMatches(string pattern, string host)
    {
        if (host.StartsWith('[')) return string.Equals(pattern, host, StringComparison.OrdinalIgnoreCase);
        var labels = host.ToLowerInvariant().Split('.');
        var patterns = pattern.Split('.');
        return labels.Length == patterns.Length && labels.Zip(patterns).All(pair => LabelMatches(pair.Second, pair.First));
    }

    /// <summary>'*' is any run of characters within one label, '?' one. Linear: the last star alone is gone back to.</summary>
    private static bool LabelMatches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> label)
    {
        int at = 0, place = 0, star = -1, resume = 0;
        while (place < label.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                (star, resume) = (at++, place);
            }
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == label[place]))
            {
                at++;
                place++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                place = ++resume;
            }
            else
            {
                return false;
            }
        }
        while (at < pattern.Length && pattern[at] == '*') at++;
        return at == pattern.Length;
    }

    private static (string Host, string Port, string Path) Split(string location)
    {
        var slash = location.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? location : location[..slash];
        var colon = authority.LastIndexOf(':');
        if (colon < authority.LastIndexOf(']')) colon = -1;
        return (colon < 0 ? authority : authority[..colon], colon < 0 ? "" : authority[(colon + 1)..], slash < 0 ? "" : location[slash..]);
    }
}
