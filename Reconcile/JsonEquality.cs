using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KruiseImage.Reconcile;

/// <summary>Whether two values say the same on the wire. For the few comparisons of nested values that are off the hot path.</summary>
public static class JsonEquality
{
    public static bool Same<T>(T? one, T? other, JsonTypeInfo<T> type)
        where T : class
    {
        if (ReferenceEquals(one, other)) return true;
        if (one is null || other is null) return false;
        return JsonSerializer.SerializeToUtf8Bytes(one, type).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, type));
    }
}
