using System.Globalization;
using System.Text;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>Paths and queries of the API, escaped.</summary>
public static class ApiPath
{
    public static string Of<T>(Resource<T> resource, string? @namespace, string? name)
        where T : class, IKubeObject
    {
        var path = new StringBuilder(resource.Group.Length == 0 ? "/api/" : $"/apis/{resource.Group}/").Append(resource.Version);
        if (resource.Namespaced && !string.IsNullOrEmpty(@namespace)) path.Append("/namespaces/").Append(Uri.EscapeDataString(@namespace));
        path.Append('/').Append(resource.Plural);
        if (name is not null) path.Append('/').Append(Uri.EscapeDataString(name));
        return path.ToString();
    }

    public static string Query(ListQuery query) => Join([.. Selectors(query),
        ("limit", query.Limit?.ToString(CultureInfo.InvariantCulture)), ("continue", query.Continue), ("resourceVersion", query.ResourceVersion)]);

    public static string WatchQuery(ListQuery query) => Join([.. Selectors(query),
        ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", query.ResourceVersion),
        ("timeoutSeconds", query.Timeout is { } timeout ? ((long)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture) : null)]);

    private static IEnumerable<(string Name, string? Value)> Selectors(ListQuery query) =>
        [("labelSelector", query.LabelSelector), ("fieldSelector", query.FieldSelector)];

    private static string Join(IEnumerable<(string Name, string? Value)> parameters)
    {
        var query = string.Join('&', parameters.Where(parameter => !string.IsNullOrEmpty(parameter.Value))
            .Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));
        return query.Length == 0 ? "" : "?" + query;
    }
}
