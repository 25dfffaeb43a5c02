using KruiseImage.Crds;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>What a provider once answered.</summary>
/// <param name="CachedSince">When it was asked; null when it was asked just now.</param>
public sealed record ProvidedCredentials(IReadOnlyList<LocatedCredential> Credentials, DateTimeOffset? CachedSince)
{
    public static readonly ProvidedCredentials None = new([], null);
}

/// <summary>
/// The answers of one provider, each as long and for as many images as it says, in memory only. Pure: told the time. Bounded: what
/// would expire first makes room.
/// </summary>
public sealed class CredentialCache(int most)
{
    private readonly Dictionary<Key, Entry> _entries = [];

    public int Count => _entries.Count;

    /// <summary>The narrowest answer that covers the image and still holds.</summary>
    public ProvidedCredentials? Find(string image, DateTimeOffset now)
    {
        foreach (var key in KeysOf(image))
        {
            if (_entries.TryGetValue(key, out var entry) && entry.Expires >= now) return new ProvidedCredentials(entry.Credentials, entry.Since);
        }
        return null;
    }

    /// <summary>Zero is for no cache; a negative duration is over before it begins.</summary>
    public void Keep(CacheKeyType keyType, string image, IReadOnlyList<LocatedCredential> credentials, TimeSpan duration, DateTimeOffset now)
    {
        if (duration <= TimeSpan.Zero) return;
        var key = KeyOf(keyType, image);
        if (_entries.Count >= most && !_entries.ContainsKey(key)) MakeRoom(now);
        _entries[key] = new Entry(credentials, now, now + duration);
    }

    /// <summary>Those that cover the image and were obtained at that moment.</summary>
    public void Forget(string image, DateTimeOffset since)
    {
        foreach (var key in KeysOf(image))
        {
            if (_entries.TryGetValue(key, out var entry) && entry.Since == since) _entries.Remove(key);
        }
    }

    private void MakeRoom(DateTimeOffset now)
    {
        foreach (var key in _entries.Where(pair => pair.Value.Expires < now).Select(pair => pair.Key).ToList()) _entries.Remove(key);
        if (_entries.Count >= most) _entries.Remove(_entries.MinBy(pair => pair.Value.Expires).Key);
    }

    private static IEnumerable<Key> KeysOf(string image) => [KeyOf(CacheKeyType.Image, image), KeyOf(CacheKeyType.Registry, image), KeyOf(CacheKeyType.Global, image)];

    private static Key KeyOf(CacheKeyType keyType, string image) => new(keyType, keyType switch
    {
        CacheKeyType.Image => image,
        CacheKeyType.Registry => image.Split('/')[0],
        _ => "",
    });

    private readonly record struct Key(CacheKeyType Type, string Name);

    private sealed record Entry(IReadOnlyList<LocatedCredential> Credentials, DateTimeOffset Since, DateTimeOffset Expires);
}
