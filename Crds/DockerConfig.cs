using System.Text;
using System.Text.Json;

namespace KruiseImage.Crds;

/// <summary>One credential of a secret, and for which registries it is.</summary>
/// <param name="Location">Host with optional port, path and globs, without scheme; empty: whatever the image's registry is.</param>
public sealed record LocatedCredential(string Location, RegistryCredential Credential);

/// <summary>The credentials of a secret, and in words what was skipped (never the values).</summary>
public sealed record SecretCredentials(IReadOnlyList<LocatedCredential> Credentials, IReadOnlyList<string> Problems);

/// <summary>
/// Reads the credentials that a Secret holds: dockerconfigjson, dockercfg, or a plain username and password (contract 4.3). Pure.
/// What is malformed is skipped with a reason; it never throws, whatever a user put into the secret.
/// </summary>
public static class DockerConfig
{
    public const string ConfigJsonType = "kubernetes.io/dockerconfigjson";
    public const string ConfigType = "kubernetes.io/dockercfg";
    private const string ConfigJsonKey = ".dockerconfigjson";
    private const string ConfigKey = ".dockercfg";
    private const string UsernameKey = "username";
    private const string PasswordKey = "password";

    /// <summary>Of a secret's data what <see cref="Read"/> may look at; whatever else the secret holds is nobody's business.</summary>
    public static Dictionary<string, string> DataOf(Secret secret) => (secret.Data ?? [])
        .Where(pair => pair.Key is ConfigJsonKey or ConfigKey or UsernameKey or PasswordKey)
        .ToDictionary(StringComparer.Ordinal);

    public static SecretCredentials Read(Secret secret)
    {
        var found = new List<LocatedCredential>();
        var problems = new List<string>();
        var data = secret.Data ?? [];
        if (data.TryGetValue(ConfigJsonKey, out var configJson)) ReadRegistries(ConfigJsonKey, configJson, isNested: true, found, problems);
        else if (data.TryGetValue(ConfigKey, out var config)) ReadRegistries(ConfigKey, config, isNested: false, found, problems);
        else if (data.TryGetValue(UsernameKey, out var username) && data.TryGetValue(PasswordKey, out var password)) ReadPlain(username, password, found, problems);
        else problems.Add($"has neither {ConfigJsonKey} nor {ConfigKey} nor username and password");
        return new SecretCredentials(found, problems);
    }

    private static void ReadPlain(string username, string password, List<LocatedCredential> found, List<string> problems)
    {
        if (Text(username) is not { } name || Text(password) is not { } word) problems.Add("username or password is not base64");
        else found.Add(new LocatedCredential("", new RegistryCredential { Username = name, Password = word }));
    }

    private static void ReadRegistries(string key, string value, bool isNested, List<LocatedCredential> found, List<string> problems)
    {
        if (Bytes(value) is not { } json)
        {
            problems.Add($"{key} is not base64");
            return;
        }
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var registries = document.RootElement;
            if (isNested && registries.ValueKind == JsonValueKind.Object && !registries.TryGetProperty("auths", out registries))
            {
                problems.Add($"{key} has no \"auths\"");
                return;
            }
            if (registries.ValueKind != JsonValueKind.Object)
            {
                problems.Add($"{key} is not an object of registries");
                return;
            }
            foreach (var (index, registry) in registries.EnumerateObject().Index()) ReadEntry(registry, index + 1, found, problems);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            problems.Add($"{key} is not JSON"); // the parser's own message may quote the text
        }
    }

    /// <param name="number">Of the entry, where its name had better not be told.</param>
    private static void ReadEntry(JsonProperty registry, int number, List<LocatedCredential> found, List<string> problems)
    {
        try
        {
            ReadRegistry(registry, Named(registry.Name, number), found, problems);
        }
        catch (InvalidOperationException)
        {
            problems.Add($"entry {number} holds what is not Unicode"); // half a surrogate pair, or bytes that are no UTF-8
        }
    }

    private static void ReadRegistry(JsonProperty registry, string named, List<LocatedCredential> found, List<string> problems)
    {
        if (registry.Value.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{named} is not an object");
            return;
        }
        var credential = new RegistryCredential
        {
            Username = Field(registry.Value, "username"),
            Password = Field(registry.Value, "password"),
            IdentityToken = Field(registry.Value, "identitytoken"),
            RegistryToken = Field(registry.Value, "registrytoken"),
        };
        // As docker and the kubelet have it: "auth" wins over username and password.
        if (Field(registry.Value, "auth") is { Length: > 0 } auth)
        {
            if (Text(auth.TrimEnd('\0')) is not { } pair || pair.IndexOf(':', StringComparison.Ordinal) is not (>= 0 and var colon))
            {
                problems.Add($"\"auth\" of {named} is not base64 of username:password");
                return;
            }
            credential = credential with { Username = pair[..colon], Password = pair[(colon + 1)..].TrimEnd('\0') };
        }
        var location = RegistryKeyring.Normalize(registry.Name);
        if (credential.IsAnonymous) problems.Add($"{named} is empty");
        else if (location.Length == 0) problems.Add("an entry names no registry"); // not to be taken for one that is for all registries
        else found.Add(new LocatedCredential(location, credential));
    }

    /// <summary>
    /// For messages. A key may be a URL with a password in it, or anything: only a host is told, and only one that cannot be something
    /// else.
    /// </summary>
    private static string Named(string key, int number)
    {
        var location = RegistryKeyring.Normalize(key);
        var host = location[..(location.AsSpan().IndexOfAny('/', ':') is >= 0 and var end ? end : location.Length)];
        return host.Contains('.', StringComparison.Ordinal) && DnsName.IsSubdomain(host) ? $"the entry of {host}" : $"entry {number}";
    }

    private static string Field(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string? Text(string base64) => Bytes(base64) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    /// <summary>Lenient as the tools that write these: padding may be missing, lines may be wrapped.</summary>
    private static byte[]? Bytes(string base64)
    {
        var text = string.Concat(base64.Where(c => !char.IsWhiteSpace(c))).TrimEnd('=');
        text = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[text.Length / 4 * 3];
        return Convert.TryFromBase64String(text, bytes, out var written) ? bytes[..written] : null;
    }
}
