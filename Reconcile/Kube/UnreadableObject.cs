using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// An object of the right kind that our types cannot hold: only one that was stored before its CRD had a schema. It is ignored, and
/// said so; without this it would hide all objects of its kind. Lists and watches ask. Pure.
/// </summary>
public static class UnreadableObject
{
    /// <summary>The object without anything but its metadata; null when even that cannot be read.</summary>
    public static T? Remains<T>(JsonElement found, JsonTypeInfo<T> type)
        where T : class, IKubeObject
    {
        if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty("metadata"u8, out var metadata)) return null;
        var remains = JsonSerializer.Deserialize(Encoding.UTF8.GetBytes($"{{\"metadata\":{metadata.GetRawText()}}}"), type);
        return remains?.Metadata.Name is null ? null : remains;
    }

    public static string Sentence(ObjectMeta metadata, string why) => $"{ObjectKey.Of(metadata)} is ignored, it cannot be understood: {why}";

    /// <summary>The objects of a page that can be read, and a sentence about the others.</summary>
    public static (ObjectList<T> Page, string Ignored) Sift<T>(JsonElement list, Resource<T> resource)
        where T : class, IKubeObject
    {
        var (items, ignored) = (new List<T>(), new List<string>());
        foreach (var item in list.TryGetProperty("items"u8, out var found) && found.ValueKind == JsonValueKind.Array ? found.EnumerateArray() : default)
        {
            try
            {
                if (item.Deserialize(resource.Type) is { } readable) items.Add(readable);
            }
            catch (JsonException unreadable)
            {
                if (Remains(item, resource.Type) is { } remains) ignored.Add(Sentence(remains.Metadata, unreadable.Message));
            }
        }

        var metadata = list.TryGetProperty("metadata"u8, out var listed) ? listed.Deserialize(CrdJson.Default.ListMeta) : null;
        return (new ObjectList<T> { Metadata = metadata ?? new ListMeta(), Items = items }, string.Join("; ", ignored));
    }
}
