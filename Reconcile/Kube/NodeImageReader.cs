using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Reads a version of a NodeImage of which only the status differs from the version in the cache, as a hundred come in a second while
/// pulls are under way: the new one shares everything else with the known one. To build all of it again, for everybody to find it the
/// same, is half of what an event costs. Called by <see cref="WatchDecoder"/>. Pure.
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
                reader.Skip(); // the spec too: it is the known one, as the generation is
            }
        }

        return known is null ? null : known with { Metadata = known.Metadata with { ResourceVersion = version }, Status = status };
    }

    /// <summary>Whether all that we keep of the metadata is as the cache has it, but for the version. The name may come last, so the others are looked at after it.</summary>
    private static bool TryReadMetadata(ref Utf8JsonReader reader, ILister<NodeImage> cache, out NodeImage? known, out string? version)
    {
        (known, version) = (null, null);
        Utf8JsonReader name = default, uid = default, generation = default, resourceVersion = default, labels = default, owners = default;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8)) name = reader;
            else if (reader.ValueTextEquals("uid"u8)) uid = reader;
            else if (reader.ValueTextEquals("generation"u8)) generation = reader;
            else if (reader.ValueTextEquals("resourceVersion"u8)) resourceVersion = reader;
            else if (reader.ValueTextEquals("labels"u8)) labels = reader;
            else if (reader.ValueTextEquals("ownerReferences"u8)) owners = reader;
            else if (reader.ValueTextEquals("deletionTimestamp"u8) || reader.ValueTextEquals("annotations"u8) || reader.ValueTextEquals("finalizers"u8)) return false;
            reader.Skip();
        }

        if (!GoToText(ref name) || !cache.TryGet(Interned.Read(ref name)!, out known) || !GoToText(ref resourceVersion)) return false;
        version = resourceVersion.GetString();
        return known.Metadata is { DeletionTimestamp: null, Annotations: null, Finalizers: null } kept
            && IsText(ref uid, kept.Uid)
            && generation.Read() && generation.TokenType == JsonTokenType.Number && generation.TryGetInt64(out var told) && told == kept.Generation
            && AreLabels(ref labels, kept.Labels)
            && AreOwners(ref owners, kept.OwnerReferences);
    }

    // What follows looks at the value of the property that a reader is at; one that is at none says that there is no such property.

    /// <summary>In the order that the server gives them, which was that of the known ones.</summary>
    private static bool AreLabels(ref Utf8JsonReader reader, Dictionary<string, string>? known)
    {
        if (reader.TokenType == JsonTokenType.None || known is null) return reader.TokenType == JsonTokenType.None && known is null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
        foreach (var (key, value) in known)
            if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(key) || !IsText(ref reader, value)) return false;
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject;
    }

    private static bool AreOwners(ref Utf8JsonReader reader, List<OwnerReference>? known)
    {
        if (reader.TokenType == JsonTokenType.None || known is null) return reader.TokenType == JsonTokenType.None && known is null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return false;
        foreach (var owner in known)
            if (!reader.Read() || !IsOwner(ref reader, owner)) return false;
        return reader.Read() && reader.TokenType == JsonTokenType.EndArray;
    }

    /// <summary>With these four fields, as we write them. Others are read whole.</summary>
    private static bool IsOwner(ref Utf8JsonReader reader, OwnerReference known)
    {
        if (reader.TokenType != JsonTokenType.StartObject || known is not { Controller: null, BlockOwnerDeletion: null }) return false;
        var fields = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var expected = reader.ValueTextEquals("apiVersion"u8) ? known.ApiVersion
                : reader.ValueTextEquals("kind"u8) ? known.Kind
                : reader.ValueTextEquals("name"u8) ? known.Name
                : reader.ValueTextEquals("uid"u8) ? known.Uid : null;
            if (!IsText(ref reader, expected)) return false;
            fields++;
        }

        return fields == 4;
    }

    private static bool IsText(ref Utf8JsonReader reader, string? expected) => expected is not null && GoToText(ref reader) && reader.ValueTextEquals(expected);

    private static bool GoToText(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.PropertyName && reader.Read() && reader.TokenType == JsonTokenType.String;
}
