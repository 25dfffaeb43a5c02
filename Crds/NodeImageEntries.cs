namespace KruiseImage.Crds;

/// <summary>Finding one entry in a NodeImage, whose maps and lists anybody may have left out.</summary>
public static class NodeImageEntries
{
    public static ImageTagSpec? FindEntry(this NodeImage? nodeImage, string imageName, string tag)
    {
        if (nodeImage?.Spec?.Images is not { } images || !images.TryGetValue(imageName, out var image) || image?.Tags is not { } tags) return null;
        foreach (var entry in tags)
            if (string.Equals(entry.Tag, tag, StringComparison.Ordinal)) return entry;
        return null;
    }

    public static ImageTagStatus? FindStatus(this NodeImageStatus? status, string imageName, string tag)
    {
        if (status?.ImageStatuses is not { } images || !images.TryGetValue(imageName, out var image) || image?.Tags is not { } tags) return null;
        foreach (var known in tags)
            if (string.Equals(known.Tag, tag, StringComparison.Ordinal)) return known;
        return null;
    }

    /// <summary>The status of the very version that is asked for: one of another version answers a former or later wish.</summary>
    public static ImageTagStatus? FindAnswer(this NodeImageStatus? status, string imageName, string tag, long version) =>
        status.FindStatus(imageName, tag) is { } known && known.Version == version ? known : null;

    /// <summary>Whether the bounds of the schema leave room for the entry, if it is not there already.</summary>
    public static bool HasRoomFor(this NodeImage? nodeImage, string imageName, string tag)
    {
        if (nodeImage?.Spec?.Images is not { } images) return true;
        if (!images.TryGetValue(imageName, out var image)) return images.Count < Defaults.MaxImages;
        return image?.Tags is not { } tags || tags.Count < Defaults.MaxTagsPerImage || nodeImage.FindEntry(imageName, tag) is not null;
    }

    public static bool IsOwnedBy(this ImageTagSpec entry, string uid)
    {
        if (entry.OwnerReferences is not { } owners) return false;
        foreach (var owner in owners)
            if (string.Equals(owner.Uid, uid, StringComparison.Ordinal)) return true;
        return false;
    }

    public static bool HasEntryOwnedBy(this NodeImage nodeImage, string uid)
    {
        foreach (var image in nodeImage.Spec?.Images?.Values ?? Enumerable.Empty<ImageSpec?>())
            foreach (var entry in image?.Tags ?? [])
                if (entry.IsOwnedBy(uid)) return true;
        return false;
    }
}
