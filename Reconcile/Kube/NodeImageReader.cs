using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// A version of a NodeImage of which only the status differs from the version in the cache, as comes a hundred times a second while pulls
/// are under way: the status is read, and everything else shared with that version. To build it again, only for everybody to find it
/// the same, is half of what such an event costs. Pure.
/// </summary>
public static class NodeImageReader
{
    /// <returns>Null when more differs, or might: it must be read whole. The reader may then stand anywhere.</returns>
    /// <exception cref="JsonException">It is not JSON, or its status is none.</exception>
    public static NodeImage? TryRead(ref Utf8JsonReader reader, ILister<NodeImage> cache)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return null;
        NodeImage? known = null;
        string? version = null;
        NodeImageStatus? status = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("metadata"u8))
            {
                if (known is not null || !TryReadMetadata(ref reader, cache, out known, out version)) return null;
            }
            else if (reader.ValueTextEquals("status"u8))
            {
                reader.Read();
                status = NodeImageStatusReader.Read(ref reader);
            }
            else
            {
                reader.Skip(); // a spec of the same generation is the same
            }
        }

        return known is null ? null : known with { Metadata = known.Metadata with { ResourceVersion = version }, Status = status };
    }

    /// <summary>Whether what we keep of it is as the cache has it, but for the version.</summary>
    private static bool TryReadMetadata(ref Utf8JsonReader reader, ILister<NodeImage> cache, out NodeImage? known, out string? version)
    {
        (known, version) = (null, null);
        Utf8JsonReader name = default, uid = default, generation = default, revision = default, labels = default, owners = default;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8)) name = reader;
            else if (reader.ValueTextEquals("uid"u8)) uid = reader;
            else if (reader.ValueTextEquals("generation"u8)) generation = reader;
            else if (reader.ValueTextEquals("resourceVersion"u8)) revision = reader;
            else if (reader.ValueTextEquals("labels"u8)) labels = reader;
            else if (reader.ValueTextEquals("ownerReferences"u8)) owners = reader;
            else if (reader.ValueTextEquals("deletionTimestamp"u8) || reader.ValueTextEquals("annotations"u8) || reader.ValueTextEquals("finalizers"u8)) return false;
            reader.Skip();
        }

        if (!IsAtText(ref name) || !cache.TryGet(Interned.Read(ref name)!, out known) || !IsAtText(ref revision)) return false;
        version = revision.GetString();
        return known.Metadata is { DeletionTimestamp: null, Annotations: null, Finalizers: null } kept
            && IsNext(ref uid, kept.Uid)
            && generation.Read() && generation.TokenType == JsonTokenType.Number && generation.TryGetInt64(out var told) && told == kept.Generation
            && AreNext(ref labels, kept.Labels)
            && AreNext(ref owners, kept.OwnerReferences);
    }

    /// <summary>In the order that the server has them in, which is that of the cache.</summary>
    private static bool AreNext(ref Utf8JsonReader labels, Dictionary<string, string>? known)
    {
        if (labels.TokenType == JsonTokenType.None || known is null) return labels.TokenType == JsonTokenType.None && known is null;
        if (!labels.Read() || labels.TokenType != JsonTokenType.StartObject) return false;
        foreach (var (key, value) in known)
            if (!labels.Read() || labels.TokenType != JsonTokenType.PropertyName || !labels.ValueTextEquals(key) || !IsNext(ref labels, value)) return false;
        return labels.Read() && labels.TokenType == JsonTokenType.EndObject;
    }

    private static bool AreNext(ref Utf8JsonReader owners, List<OwnerReference>? known)
    {
        if (owners.TokenType == JsonTokenType.None || known is null) return owners.TokenType == JsonTokenType.None && known is null;
        if (!owners.Read() || owners.TokenType != JsonTokenType.StartArray) return false;
        foreach (var owner in known)
            if (!owners.Read() || !IsAt(ref owners, owner)) return false;
        return owners.Read() && owners.TokenType == JsonTokenType.EndArray;
    }

    private static bool IsAt(ref Utf8JsonReader reader, OwnerReference known)
    {
        if (reader.TokenType != JsonTokenType.StartObject || known is not { Controller: null, BlockOwnerDeletion: null }) return false;
        var same = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var expected = reader.ValueTextEquals("apiVersion"u8) ? known.ApiVersion
                : reader.ValueTextEquals("kind"u8) ? known.Kind
                : reader.ValueTextEquals("name"u8) ? known.Name
                : reader.ValueTextEquals("uid"u8) ? known.Uid : null;
            if (!IsNext(ref reader, expected)) return false;
            same++;
        }

        return same == 4;
    }

    private static bool IsNext(ref Utf8JsonReader reader, string? expected) => expected is not null && IsAtText(ref reader) && reader.ValueTextEquals(expected);

    private static bool IsAtText(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.PropertyName && reader.Read() && reader.TokenType == JsonTokenType.String;
}
