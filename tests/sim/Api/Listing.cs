using System.Globalization;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>A page of a list.</summary>
internal readonly record struct ListPage(List<StoredObject> Items, long Version, string? Continue);

/// <summary>
/// Lists: pages of one state. A continue token is the version of that state and the last key that was given; states that have passed are
/// rebuilt from the history, as long as it reaches back.
/// </summary>
internal static class Listing
{
    public static Refusal? Read(SimApiServer server, SimKind kind, ListQuery query, out ListPage page)
    {
        page = default;
        if (Selectors.TryParse(kind, query.Namespace, query.LabelSelector, query.FieldSelector, out var selectors) is { } unreadable) return unreadable;
        if (!TryVersion(query.ResourceVersion, out var asked)) return Refusal.BadRequest($"resourceVersion: Invalid value: \"{query.ResourceVersion}\"");
        if (asked > server.Version) return new Refusal(504, "Timeout", $"Too large resource version: {asked}, current: {server.Version}");
        var after = "";
        // Without a token, a version is the least that is wanted; with a limit it is exactly what is wanted.
        var version = query.Limit > 0 && asked > 0 ? asked.Value : server.Version;
        if (!string.IsNullOrEmpty(query.Continue))
        {
            if (asked is not null) return Refusal.BadRequest("specifying resource version is not allowed when using continue");
            if (!TryToken(query.Continue, out version, out after)) return Refusal.BadRequest("continue key is not valid: encoded continue token is not valid");
        }

        if (version < server.Compacted) return Refusal.Expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.");
        // A list of version 0 comes out of the cache, which knows no pages.
        page = Cut(State(server, kind, version), selectors, asked == 0 ? null : query.Limit, version, after);
        return null;
    }

    /// <returns>False when it is no number.</returns>
    /// <param name="version">Null: none was given.</param>
    public static bool TryVersion(string? text, out long? version)
    {
        version = null;
        if (string.IsNullOrEmpty(text)) return true;
        var isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        version = number;
        return isNumber;
    }

    private static ListPage Cut(SortedDictionary<string, StoredObject> objects, Selectors selectors, int? limit, long version, string after)
    {
        if (selectors.OnlyKey is { } only && after.Length == 0)
            return new ListPage(objects.TryGetValue(only, out var one) && selectors.Matches(one) ? [one] : [], version, null);
        var items = new List<StoredObject>();
        var last = "";
        foreach (var (key, stored) in objects)
        {
            if (after.Length > 0 && string.CompareOrdinal(key, after) <= 0) continue;
            if (!selectors.IsInNamespace(key)) continue;
            if (limit > 0 && items.Count == limit) return new ListPage(items, version, $"v{version}/{last}");
            last = key;
            if (selectors.Matches(stored)) items.Add(stored);
        }

        return new ListPage(items, version, null);
    }

    private static SortedDictionary<string, StoredObject> State(SimApiServer server, SimKind kind, long version)
    {
        if (version == server.Version || kind.History.Count == 0 || kind.History[^1].Version <= version) return kind.Objects;
        var objects = new SortedDictionary<string, StoredObject>(kind.Objects, StringComparer.Ordinal);
        for (var i = kind.History.Count - 1; i >= 0 && kind.History[i].Version > version; i--)
        {
            if (kind.History[i].Before is { } before) objects[before.Key] = before;
            else objects.Remove(kind.History[i].After!.Key);
        }

        return objects;
    }

    private static bool TryToken(string token, out long version, out string after)
    {
        var slash = token.IndexOf('/', StringComparison.Ordinal);
        (version, after) = (0, slash < 0 ? "" : token[(slash + 1)..]);
        return slash > 1 && token[0] == 'v' && long.TryParse(token.AsSpan(1, slash - 1), NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }
}
