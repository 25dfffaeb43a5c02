using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace KruiseImage.Crds;

/// <summary>
/// An image reference by Docker's grammar: [registry/]repository[:tag][@digest], with "nginx" short for
/// "docker.io/library/nginx". Owns the one translation between what people write, the keys of a NodeImage and what the runtime
/// is asked for. Validation, planners and the daemon call it. It must never throw on any text, nor scan any character twice
/// per rule: references come from whoever may create a job.
/// </summary>
public sealed class ImageReference
{
    /// <summary>The longest name, registry included, that containerd and the registries take.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Name, tag and the longest digest: anything longer is refused unread.</summary>
    public const int MaxLength = 520;

    public const string DockerHub = "docker.io";
    public const string DefaultTag = "latest";
    private const string LegacyDockerHub = "index.docker.io";
    private const string Official = "library/";
    private const int MaxTagLength = 128;
    private const int IdentifierLength = 64;

    private static readonly SearchValues<char> LowercaseHex = SearchValues.Create("0123456789abcdef");

    private ImageReference(string registry, string repository, string? tag, string? digest)
    {
        (Registry, Repository, Tag, Digest) = (registry, repository, tag, digest);
        CanonicalName = $"{registry}/{repository}";
        FamiliarName = Familiar(registry, repository, CanonicalName);
    }

    /// <summary>"docker.io", "quay.io", "localhost:5000", "[::1]:5000".</summary>
    public string Registry { get; }

    /// <summary>"library/nginx", "foo/bar".</summary>
    public string Repository { get; }

    public string? Tag { get; }

    /// <summary>"sha256:…"</summary>
    public string? Digest { get; }

    /// <summary>"docker.io/library/nginx".</summary>
    public string CanonicalName { get; }

    /// <summary>The shortest name that means the same: "nginx", "foo/bar", "quay.io/foo/bar". The key of a NodeImage's images.</summary>
    public string FamiliarName { get; }

    /// <summary>What a NodeImage entry holds. A digest wins over a tag: it alone says which bytes are wanted.</summary>
    public string TagOrDigest => Digest ?? Tag ?? DefaultTag;

    /// <summary>What the runtime is asked for.</summary>
    public override string ToString() => ForRuntime(FamiliarName, TagOrDigest);

    /// <summary>
    /// "name:tag" or "name@sha256:…", from a NodeImage's key and entry. Only a digest has a colon. (OpenKruise joins both with a
    /// colon, which no runtime can parse.)
    /// </summary>
    public static string ForRuntime(string name, string tagOrDigest) => $"{name}{(tagOrDigest.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{tagOrDigest}";

    /// <param name="error">Why not, as a sentence that quotes the text; empty on success.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageReference? reference, out string error)
    {
        reference = null;
        if (string.IsNullOrEmpty(text)) return Fail("the image is empty", out error);
        if (text.Length > MaxLength) return Fail($"the image reference has {text.Length} characters; at most {MaxLength} are allowed", out error);
        if (text.Contains("://", StringComparison.Ordinal)) return Fail($"image {Quoted.Of(text)}: leave out what stands before \"://\", and that", out error);
        if (IsIdentifier(text)) return Fail($"image {Quoted.Of(text)} is a 64-character hexadecimal ID; name a repository", out error);

        var rest = text.AsSpan();
        string? digest = null, tag = null;
        if (rest.IndexOf('@') is >= 0 and var at)
        {
            digest = rest[(at + 1)..].ToString();
            rest = rest[..at];
            if (DigestError(digest) is { } wrong) return Fail($"image {Quoted.Of(text)}: {wrong}", out error);
        }

        // A colon after the last slash starts a tag; one before it belongs to a port.
        if (rest[(rest.LastIndexOf('/') + 1)..].IndexOf(':') is >= 0 and var colon)
        {
            colon += rest.LastIndexOf('/') + 1;
            tag = rest[(colon + 1)..].ToString();
            rest = rest[..colon];
            if (TagError(tag) is { } wrong) return Fail($"image {Quoted.Of(text)}: {wrong}", out error);
        }

        SplitRegistry(rest, out var registry, out var repository);
        if (RegistryError(registry) is { } registryError) return Fail($"image {Quoted.Of(text)}: {registryError}", out error);
        if (RepositoryError(repository) is { } repositoryError) return Fail($"image {Quoted.Of(text)}: {repositoryError}", out error);
        if (registry is DockerHub && !repository.Contains('/')) repository = $"{Official}{repository}";
        if (registry.Length + 1 + repository.Length > MaxNameLength)
            return Fail($"the name of the image has {registry.Length + 1 + repository.Length} characters; at most {MaxNameLength} are allowed", out error);

        reference = new ImageReference(registry.ToString(), repository.ToString(), tag, digest);
        error = "";
        return true;
    }

    /// <summary>Why this cannot be the tag or digest of a NodeImage entry; null when it can.</summary>
    public static string? TagOrDigestError(string? text) =>
        string.IsNullOrEmpty(text) ? "the tag is empty" : text.Contains(':', StringComparison.Ordinal) ? DigestError(text) : TagError(text);

    private static bool Fail(string sentence, out string error)
    {
        error = sentence;
        return false;
    }

    /// <summary>The first component is a registry when it cannot be a part of a repository's name, or is "localhost".</summary>
    private static bool IsRegistry(ReadOnlySpan<char> component) =>
        component is "localhost" || component.ContainsAny('.', ':') || component.ContainsAnyInRange('A', 'Z');

    private static void SplitRegistry(ReadOnlySpan<char> name, out ReadOnlySpan<char> registry, out ReadOnlySpan<char> repository)
    {
        registry = DockerHub;
        repository = name;
        var slash = name.IndexOf('/');
        if (slash < 0 || !IsRegistry(name[..slash])) return;
        repository = name[(slash + 1)..];
        if (name[..slash] is not LegacyDockerHub) registry = name[..slash];
    }

    /// <summary>
    /// A repository of Docker Hub whose own name reads as a registry ("docker.io/foo.bar/baz") keeps its prefix. Docker drops it and
    /// then asks the wrong host.
    /// </summary>
    private static string Familiar(string registry, string repository, string canonicalName)
    {
        if (registry != DockerHub) return canonicalName;
        var path = repository.AsSpan();
        if (path.StartsWith(Official, StringComparison.Ordinal) && !path[Official.Length..].Contains('/')) path = path[Official.Length..];
        var slash = path.IndexOf('/');
        if ((slash >= 0 && IsRegistry(path[..slash])) || IsIdentifier(path)) return canonicalName;
        return path.ToString();
    }

    private static bool IsIdentifier(ReadOnlySpan<char> text) => text.Length == IdentifierLength && !text.ContainsAnyExcept(LowercaseHex);

    private static string? DigestError(ReadOnlySpan<char> digest)
    {
        var colon = digest.IndexOf(':');
        var algorithm = colon < 0 ? digest : digest[..colon];
        var length = algorithm switch { "sha256" => 64, "sha384" => 96, "sha512" => 128, _ => 0 };
        if (colon < 0 || length == 0) return "the digest must begin with sha256:, sha384: or sha512:";
        var hex = digest[(colon + 1)..];
        return hex.Length != length || hex.ContainsAnyExcept(LowercaseHex) ? $"a {algorithm} digest has {length} lower-case hexadecimal digits" : null;
    }

    private static string? TagError(ReadOnlySpan<char> tag)
    {
        if (tag.IsEmpty) return "the tag after the colon is empty";
        if (tag.Length > MaxTagLength) return $"a tag has at most {MaxTagLength} characters";
        if (tag[0] is '.' or '-') return "a tag begins with a letter, a digit or an underscore";
        foreach (var c in tag)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-')) return "a tag holds letters, digits, '_', '.' and '-' only";
        return null;
    }

    private static string? RegistryError(ReadOnlySpan<char> registry)
    {
        var port = registry.LastIndexOf(':');
        if (port > registry.LastIndexOf(']'))
        {
            if (port == registry.Length - 1 || registry[(port + 1)..].ContainsAnyExceptInRange('0', '9')) return "the registry's port is not a number";
            registry = registry[..port];
        }

        if (registry is ['[', .. var address, ']']) return IsIPv6Like(address) ? null : "the registry's address is not IPv6";
        foreach (var label in registry.Split('.'))
            if (!IsHostLabel(registry[label])) return "the registry is not a host name";
        return null;
    }

    private static bool IsIPv6Like(ReadOnlySpan<char> address)
    {
        foreach (var c in address)
            if (!char.IsAsciiHexDigit(c) && c != ':') return false;
        return !address.IsEmpty;
    }

    private static bool IsHostLabel(ReadOnlySpan<char> label)
    {
        if (label.IsEmpty || label[0] == '-' || label[^1] == '-') return false;
        foreach (var c in label)
            if (!char.IsAsciiLetterOrDigit(c) && c != '-') return false;
        return true;
    }

    private static string? RepositoryError(ReadOnlySpan<char> repository)
    {
        if (repository.IsEmpty) return "the name of the image is missing";
        if (repository.ContainsAnyInRange('A', 'Z')) return "the repository must be lower case";
        foreach (var component in repository.Split('/'))
            if (ComponentError(repository[component]) is { } error) return error;
        return null;
    }

    /// <summary>Runs of a-z and 0-9 joined by one '.', one or two '_', or any number of '-'.</summary>
    private static string? ComponentError(ReadOnlySpan<char> component)
    {
        if (component.IsEmpty) return "the name has an empty part between slashes";
        var separator = 0;
        for (var i = 0; i < component.Length; i++)
        {
            var c = component[i];
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                separator = 0;
                continue;
            }

            if (c is not ('.' or '_' or '-')) return "a name holds lower-case letters, digits, '.', '_', '-' and '/' only";
            separator++;
            var joins = separator == 1 || (c == component[i - 1] && (c == '-' || (c == '_' && separator == 2)));
            if (i == 0 || i == component.Length - 1 || !joins) return "each part of a name is letters and digits joined by '.', '_', '__' or '-'";
        }

        return null;
    }
}
