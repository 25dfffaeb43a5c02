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

    /// <summary>Whether the later of two versions of a NodeImage tells no more than how far its pulls are. By that nothing is decided.</summary>
    public static bool OnlyProgressed(NodeImage before, NodeImage after)
    {
        var (known, told) = (before.Metadata, after.Metadata);
        if (known.Uid != told.Uid || known.Generation != told.Generation || known.DeletionTimestamp != told.DeletionTimestamp) return false;
        if (!Labels.Same(known.Labels, told.Labels)) return false;
        if (!ReferenceEquals(known.OwnerReferences, told.OwnerReferences) && !(known.OwnerReferences ?? []).SequenceEqual(told.OwnerReferences ?? [])) return false;
        if (before.Status?.ImageStatuses is not { } former || after.Status?.ImageStatuses is not { } later || former.Count != later.Count) return false;
        foreach (var (name, image) in later)
            if (!former.TryGetValue(name, out var same) || !OnlyProgressed(same?.Tags ?? [], image?.Tags ?? [])) return false;
        return true;
    }

    private static bool OnlyProgressed(List<ImageTagStatus> before, List<ImageTagStatus> after)
    {
        if (before.Count != after.Count) return false;
        for (var index = 0; index < after.Count; index++)
        {
            var told = after[index];
            if (told != before[index] with { Progress = told.Progress, BytesDone = told.BytesDone, BytesTotal = told.BytesTotal }) return false;
        }

        return true;
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
