using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Which of two states of an object is the later one. Versions are opaque by the API's contract; where both are numbers, as
/// etcd's are, they are compared, otherwise the one that comes later counts as later.
/// </summary>
public static class ResourceVersion
{
    public static bool IsSame(ObjectMeta one, ObjectMeta other) =>
        one.ResourceVersion is not null && one.ResourceVersion == other.ResourceVersion && one.Uid == other.Uid;

    /// <summary>Whether a state that arrives now takes the place of the known one. A recreated object wins by its higher version.</summary>
    public static bool Supersedes(ObjectMeta arriving, ObjectMeta known) => !IsSame(arriving, known) && !IsOlder(arriving, known);

    public static bool IsOlder(ObjectMeta one, ObjectMeta other) => IsOlder(one.ResourceVersion, other.ResourceVersion);

    public static bool IsOlder(string? one, string? other) => TryParse(one, out var left) && TryParse(other, out var right) && left < right;

    /// <summary>Whether a state is part of what somebody knows who knows all up to a version.</summary>
    public static bool IsWithin(ObjectMeta state, string? version) =>
        TryParse(state.ResourceVersion, out var left) && TryParse(version, out var right) && left <= right;

    private static bool TryParse(string? version, out ulong number) =>
        ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
