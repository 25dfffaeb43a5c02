namespace KruiseImage.Reconcile;

/// <summary>FNV-1a over the characters of two strings: the same in every process, so that spread times survive a restart.</summary>
public static class StableHash
{
    public static uint Of(string one, string other)
    {
        var hash = Mix(2166136261, one);
        return Mix((hash ^ '/') * 16777619, other);
    }

    private static uint Mix(uint hash, string text)
    {
        foreach (var character in text) hash = (hash ^ character) * 16777619;
        return hash;
    }
}
