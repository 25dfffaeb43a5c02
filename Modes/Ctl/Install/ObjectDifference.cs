using System.Text.Json;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>Where two states of one object differ, as a person would name the place. What the server keeps for itself is left out. Pure.</summary>
public static class ObjectDifference
{
    private const int Shown = 3;

    private static readonly string[] Bookkeeping = ["metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "status"];

    /// <summary>"spec.replicas, spec.template.spec.containers[0].image"; empty when nothing differs.</summary>
    public static string Sentence(JsonElement before, JsonElement after)
    {
        var paths = new List<string>();
        Collect("", before, after, paths);
        var rest = paths.Count - Shown;
        return string.Join(", ", paths.Take(Shown)) + (rest > 0 ? $" and {rest} more" : "");
    }

    private static void Collect(string path, JsonElement before, JsonElement after, List<string> paths)
    {
        if (Bookkeeping.Contains(path)) return;
        if (before.ValueKind == JsonValueKind.Object && after.ValueKind == JsonValueKind.Object)
        {
            foreach (var name in before.EnumerateObject().Concat(after.EnumerateObject()).Select(property => property.Name).Distinct())
            {
                var inner = path.Length == 0 ? name : $"{path}.{name}";
                if (before.TryGetProperty(name, out var old) && after.TryGetProperty(name, out var now)) Collect(inner, old, now, paths);
                else if (!Bookkeeping.Contains(inner)) paths.Add(inner);
            }
        }
        else if (before.ValueKind == JsonValueKind.Array && after.ValueKind == JsonValueKind.Array && before.GetArrayLength() == after.GetArrayLength())
        {
            for (var i = 0; i < before.GetArrayLength(); i++) Collect($"{path}[{i}]", before[i], after[i], paths);
        }
        else if (!JsonElement.DeepEquals(before, after))
        {
            paths.Add(path);
        }
    }
}
