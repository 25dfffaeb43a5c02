using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>RFC 7396 and RFC 6902 on a tree, in place. Of a patch that is refused, the tree is left half done: it is to be thrown away.</summary>
internal static class Patches
{
    public static Refusal? Apply(JsonObject tree, ApiPatch patch)
    {
        JsonNode? body;
        try
        {
            body = JsonNode.Parse(patch.Body.Span);
        }
        catch (JsonException malformed)
        {
            return Refusal.BadRequest(malformed.Message);
        }

        switch (patch.Kind)
        {
            case PatchKind.Merge when body is JsonObject changes:
                Merge(tree, changes);
                return null;
            case PatchKind.Json when body is JsonArray operations:
                foreach (var operation in operations)
                    if (Operate(tree, operation as JsonObject) is { } why) return why;
                return null;
            case PatchKind.Apply:
                throw new NotSupportedException("server-side apply is not simulated");
            case PatchKind.Merge:
                return Refusal.Unprocessable("the body is no map");
            default:
                return Refusal.BadRequest("the body is no list of operations");
        }
    }

    private static void Merge(JsonObject tree, JsonObject changes)
    {
        foreach (var (name, change) in changes)
        {
            if (change is null) tree.Remove(name);
            else if (change is JsonObject below && tree[name] is JsonObject present) Merge(present, below);
            else tree[name] = change is JsonObject added ? WithoutNulls(added) : change.DeepClone();
        }
    }

    /// <summary>Nulls of a merge patch say what goes; they are never values.</summary>
    private static JsonObject WithoutNulls(JsonObject added)
    {
        var result = new JsonObject();
        Merge(result, added);
        return result;
    }

    private static Refusal? Operate(JsonObject tree, JsonObject? operation)
    {
        if (operation?["op"]?.GetValue<string>() is not { } op || operation["path"]?.GetValue<string>() is not { } path)
            return Refusal.BadRequest("an operation has no op or no path");
        var steps = path.Split('/')[1..];
        for (var i = 0; i < steps.Length; i++) steps[i] = steps[i].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        JsonNode? parent = tree;
        foreach (var step in steps[..^1])
            if (!TryGet(parent, step, out parent)) break;
        var value = operation["value"];
        return op switch
        {
            "test" when parent is not null && TryGet(parent, steps[^1], out var present) && JsonNode.DeepEquals(present, value) => null,
            "test" => Refusal.Unprocessable($"testing value {path} failed"),
            "add" when Add(parent, steps[^1], value?.DeepClone()) => null,
            "replace" when Replace(parent, steps[^1], value?.DeepClone()) => null,
            "remove" when Remove(parent, steps[^1]) => null,
            "add" or "replace" or "remove" => Refusal.Unprocessable($"{op} operation does not apply: doc is missing path: {path}: missing value"),
            _ => Refusal.Unprocessable($"Unexpected kind: {op}"),
        };
    }

    private static bool TryGet(JsonNode? parent, string step, out JsonNode? child)
    {
        child = null;
        if (parent is JsonObject map) return map.TryGetPropertyValue(step, out child);
        if (parent is not JsonArray list || !TryIndex(step, list.Count - 1, out var index)) return false;
        child = list[index];
        return true;
    }

    private static bool Add(JsonNode? parent, string step, JsonNode? value)
    {
        if (parent is JsonObject map) map[step] = value;
        else if (parent is not JsonArray list) return false;
        else if (step == "-") list.Add(value);
        else if (TryIndex(step, list.Count, out var index)) list.Insert(index, value);
        else return false;
        return true;
    }

    private static bool Replace(JsonNode? parent, string step, JsonNode? value)
    {
        if (parent is JsonObject map) map[step] = value;
        else if (parent is JsonArray list && TryIndex(step, list.Count - 1, out var index)) list[index] = value;
        else return false;
        return true;
    }

    private static bool Remove(JsonNode? parent, string step)
    {
        if (parent is JsonObject map) return map.Remove(step);
        if (parent is not JsonArray list || !TryIndex(step, list.Count - 1, out var index)) return false;
        list.RemoveAt(index);
        return true;
    }

    private static bool TryIndex(string step, int last, out int index) => int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index <= last;
}
