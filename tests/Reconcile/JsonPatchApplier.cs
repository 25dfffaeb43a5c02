using System.Text.Json.Nodes;

namespace KruiseImage.Tests.Reconcile;

/// <summary>Applies RFC 6902 as the API server does: all or nothing, and a test that fails refuses the patch.</summary>
public static class JsonPatchApplier
{
    /// <returns>The new document, or null when a test failed.</returns>
    public static JsonNode? Apply(JsonNode document, ReadOnlyMemory<byte> patch)
    {
        var result = document.DeepClone();
        foreach (var operation in JsonNode.Parse(patch.Span)!.AsArray())
        {
            var path = operation!["path"]!.GetValue<string>().Split('/')[1..].Select(step => step.Replace("~1", "/").Replace("~0", "~")).ToArray();
            var parent = path[..^1].Aggregate(result, (node, step) => Step(node, step) ?? throw new InvalidOperationException($"no {step} in {operation}"));
            var value = operation["value"]?.DeepClone();
            switch (operation["op"]!.GetValue<string>())
            {
                case "test" when !JsonNode.DeepEquals(Step(parent, path[^1]), value): return null;
                case "test": break;
                case "add": Add(parent, path[^1], value); break;
                case "remove": Remove(parent, path[^1]); break;
                default: throw new InvalidOperationException($"unexpected {operation}");
            }
        }

        return result;
    }

    private static JsonNode? Step(JsonNode node, string step) => node is JsonArray array ? array[int.Parse(step)] : node[step];

    private static void Add(JsonNode parent, string last, JsonNode? value)
    {
        if (parent is not JsonArray array) parent[last] = value;
        else if (last == "-") array.Add(value);
        else array.Insert(int.Parse(last), value);
    }

    private static void Remove(JsonNode parent, string last)
    {
        var removed = parent is JsonArray array ? TryRemoveAt(array, int.Parse(last)) : parent.AsObject().Remove(last);
        if (!removed) throw new InvalidOperationException($"nothing to remove at {last}");
    }

    private static bool TryRemoveAt(JsonArray array, int index)
    {
        if (index >= array.Count) return false;
        array.RemoveAt(index);
        return true;
    }
}
