namespace KruiseImage.Crds;

/// <summary>Maps of labels, where absent and empty are the same.</summary>
public static class Labels
{
    public static bool Same(Dictionary<string, string>? one, Dictionary<string, string>? other)
    {
        if (ReferenceEquals(one, other)) return true;
        if ((one?.Count ?? 0) != (other?.Count ?? 0)) return false;
        if (one is null || other is null) return true;
        foreach (var (key, value) in one)
            if (!other.TryGetValue(key, out var known) || known != value) return false;
        return true;
    }
}
