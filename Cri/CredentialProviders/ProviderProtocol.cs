using System.Buffers;
using System.Text;
using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>For which images an answer holds.</summary>
public enum CacheKeyType
{
    /// <summary>For this one.</summary>
    Image,
    /// <summary>For all of the image's registry.</summary>
    Registry,
    /// <summary>For all that the provider serves.</summary>
    Global,
}

/// <summary>A CredentialProviderResponse.</summary>
/// <param name="CacheDuration">Null: the provider's default.</param>
public sealed record ProviderResponse(CacheKeyType CacheKeyType, TimeSpan? CacheDuration, IReadOnlyList<LocatedCredential> Credentials);

/// <summary>What the daemon and a credential provider say to each other, in JSON. Pure. No problem quotes what a plugin printed.</summary>
public static class ProviderProtocol
{
    /// <param name="image">Name without tag and digest: "docker.io/library/nginx".</param>
    public static string Request(string apiVersion, string image)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("kind", "CredentialProviderRequest");
            json.WriteString("apiVersion", apiVersion);
            json.WriteString("image", image);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <param name="problem">What is wrong with it, to follow the provider's name; empty on success.</param>
    public static ProviderResponse? Read(string output, string apiVersion, out string problem)
    {
        problem = "";
        try
        {
            using var document = JsonDocument.Parse(output);
            return Read(document.RootElement, apiVersion, out problem);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            // The others: half a surrogate pair, which is found when the text of it is asked for, or right away.
            problem = "printed what is not JSON";
            return null;
        }
    }

    private static ProviderResponse? Read(JsonElement root, string apiVersion, out string problem)
    {
        if (Text(root, "kind") != "CredentialProviderResponse") problem = "printed what is not a CredentialProviderResponse";
        else if (Text(root, "apiVersion") != apiVersion) problem = $"answered in another version than {apiVersion}";
        else if (!TryCacheKeyType(Text(root, "cacheKeyType"), out var keyType)) problem = "answered without a cacheKeyType that is Image, Registry or Global";
        else if (!TryDuration(root, out var duration)) problem = "answered with a cacheDuration that is not a duration";
        else if (!TryCredentials(root, out var credentials)) problem = "answered with an auth that is not a map of usernames and passwords";
        else
        {
            problem = "";
            return new ProviderResponse(keyType, duration, credentials);
        }
        return null;
    }

    private static bool TryCacheKeyType(string? text, out CacheKeyType keyType)
    {
        keyType = text switch { "Registry" => CacheKeyType.Registry, "Global" => CacheKeyType.Global, _ => CacheKeyType.Image };
        return text is "Image" or "Registry" or "Global";
    }

    private static bool TryDuration(JsonElement root, out TimeSpan? duration)
    {
        duration = null;
        if (!root.TryGetProperty("cacheDuration", out var value) || value.ValueKind == JsonValueKind.Null) return true;
        if (value.ValueKind != JsonValueKind.String || !GoDuration.TryParse(value.GetString()!, out var known)) return false;
        duration = known;
        return true;
    }

    /// <summary>None at all is an answer too: the provider has nothing for this image.</summary>
    private static bool TryCredentials(JsonElement root, out List<LocatedCredential> credentials)
    {
        credentials = [];
        if (!root.TryGetProperty("auth", out var auth) || auth.ValueKind == JsonValueKind.Null) return true;
        if (auth.ValueKind != JsonValueKind.Object) return false;
        foreach (var entry in auth.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Object) return false;
            var credential = new RegistryCredential { Username = Text(entry.Value, "username") ?? "", Password = Text(entry.Value, "password") ?? "" };
            var location = RegistryKeyring.Normalize(entry.Name);
            if (location.Length > 0 && !credential.IsAnonymous) credentials.Add(new LocatedCredential(location, credential));
        }
        return true;
    }

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
