namespace KruiseImage.Reconcile;

/// <summary>FNV-1a over the characters of a string or two: the same in every process, so that what it decides survives a restart.</summary>
public static class StableHash
{
    private const uint Basis = 2166136261;

    public static uint Of(string text) => Mix(Basis, text);

    public static uint Of(string one, string other) => Mix((Mix(Basis, one) ^ '/') * 16777619, other);

    private static uint Mix(uint hash, string text)
    {
        foreach (var character in text) hash = (hash ^ character) * 16777619;
        return hash;
    }
}
