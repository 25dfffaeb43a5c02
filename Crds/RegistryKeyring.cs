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

    /// <summary>
    /// "https://quay.io/v1/" → "quay.io"; "registry.test:5000/team/" stays, and is not for "team2". Docker writes the version of the
    /// API that it logged in with; like the kubelet, only "/v1/" and "/v2/" are taken for one.
    /// </summary>
    /// <returns>Empty when no registry is named.</returns>
    public static string Normalize(string location)
    {
        var scheme = location.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? location : location[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? rest : rest[..slash];
        var host = authority[(authority.LastIndexOf('@') + 1)..].ToLowerInvariant();
        if (host.Length == 0) return "";
        var path = slash < 0 ? "" : rest[slash..];
        if (path.StartsWith("/v1/", StringComparison.Ordinal) || path.StartsWith("/v2/", StringComparison.Ordinal)) path = path[3..];
        if (path == "/") path = "";
        return (host is "index.docker.io" or "registry-1.docker.io" ? DockerHub : host) + path;
    }

    /// <summary>Whether a location, normalized or written as one of the kubelet's matchImages, covers an image.</summary>
    /// <param name="canonicalName">"docker.io/library/nginx".</param>
    public static bool Matches(string location, string canonicalName)
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
        var patterns = pattern.ToLowerInvariant().Split('.');
        return labels.Length == patterns.Length && labels.Zip(patterns).All(pair => LabelMatches(pair.Second, pair.First));
    }

    /// <summary>
    /// '*' is any run of characters within one label, '?' one, "[a-c]" one of those, "[^a-c]" one of the others. Linear: the last star
    /// alone is gone back to.
    /// </summary>
    private static bool LabelMatches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> label)
    {
        int at = 0, place = 0, star = -1, resume = 0;
        while (place < label.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                (star, resume) = (at++, place);
            }
            else if (TermMatches(pattern[at..], label[place], out var length))
            {
                at += length;
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

    /// <param name="length">Of the pattern's first term.</param>
    private static bool TermMatches(ReadOnlySpan<char> pattern, char c, out int length)
    {
        length = 1;
        if (pattern.IsEmpty) return false;
        if (pattern[0] != '[') return pattern[0] == '?' || pattern[0] == c;
        var end = pattern.IndexOf(']');
        if (end < 2) return false; // malformed: it matches nothing, as with the kubelet
        length = end + 1;
        var isNegated = pattern[1] == '^';
        var members = pattern[(isNegated ? 2 : 1)..end];
        for (var i = 0; i < members.Length; i++)
        {
            var isRange = i + 2 < members.Length && members[i + 1] == '-';
            var last = isRange ? members[i + 2] : members[i];
            if (c >= members[i] && c <= last) return !isNegated;
            if (isRange) i += 2;
        }
        return isNegated;
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
