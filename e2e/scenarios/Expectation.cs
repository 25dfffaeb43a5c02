using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KruiseImage.Scenarios;

/// <summary>
/// Whether an object is as a conformance file expects: what the file names must be so, the rest may be anything. The language is in
/// e2e/conformance/README.md. Pure.
/// </summary>
public static partial class Expectation
{
    /// <summary>Null when it is so, else the first difference: path, expected, seen.</summary>
    /// <param name="captured">Takes what stands where the file has "→ name".</param>
    public static string? Difference(JsonNode? expected, JsonNode? seen, IDictionary<string, JsonNode> captured, string path = "") => expected switch
    {
        JsonObject fields => Fields(fields, seen, captured, path),
        JsonArray items => Items(items, seen, captured, path),
        JsonValue value when value.TryGetValue<string>(out var text) => IsText(text, seen, captured) ? null : Sentence(path, text, seen),
        JsonValue value when value.TryGetValue<long>(out var number) => Number(seen) == number ? null : Sentence(path, number.ToString(CultureInfo.InvariantCulture), seen),
        _ => JsonNode.DeepEquals(expected, seen) ? null : Sentence(path, expected?.ToJsonString() ?? "null", seen),
    };

    private static string? Fields(JsonObject fields, JsonNode? seen, IDictionary<string, JsonNode> captured, string path)
    {
        if (fields.Count == 0 && seen is not JsonObject) return Sentence(path, "an object", seen);
        foreach (var (name, expected) in fields)
            if (Difference(expected, (seen as JsonObject)?[name], captured, path.Length == 0 ? name : $"{path}.{name}") is { } difference)
                return difference;
        return null;
    }

    /// <summary>Each expected item must be there, wherever; one that is an object is found by the fields that it names.</summary>
    private static string? Items(JsonArray items, JsonNode? seen, IDictionary<string, JsonNode> captured, string path)
    {
        if (seen is not JsonArray list) return Sentence(path, items.ToJsonString(), seen);
        if (items.Count == 0) return list.Count == 0 ? null : Sentence(path, "[]", seen);
        var missing = items.FirstOrDefault(item => !list.Any(candidate => Difference(item, candidate, captured) is null));
        // The one that is nearest tells more than "none": with a single candidate, its own difference.
        return missing is null ? null : list.Count == 1 ? Difference(missing, list[0], captured, path + "[0]") : Sentence(path, "an item like " + missing.ToJsonString(), seen);
    }

    private static bool IsText(string text, JsonNode? seen, IDictionary<string, JsonNode> captured) => text switch
    {
        "present" => seen is not null,
        "absent" => seen is null,
        ['/', .. var pattern, '/'] => seen is JsonValue value && value.TryGetValue<string>(out var read) && Regex.IsMatch(read, pattern),
        ['→', ' ', .. var name] => seen is not null && Capture(captured, name, seen),
        _ when Comparison().Match(text) is { Success: true } comparison => IsCompared(comparison, seen),
        _ => seen is JsonValue value && value.TryGetValue<string>(out var read) && read == text,
    };

    private static bool Capture(IDictionary<string, JsonNode> captured, string name, JsonNode seen)
    {
        captured[name] = seen.DeepClone();
        return true;
    }

    private static bool IsCompared(Match comparison, JsonNode? seen)
    {
        if (Number(seen) is not { } number) return false;
        var limit = decimal.Parse(comparison.Groups[2].Value, CultureInfo.InvariantCulture);
        return comparison.Groups[1].Value switch { "≥" => number >= limit, "≤" => number <= limit, _ => number != limit };
    }

    /// <summary>An absent number is 0, as the API's omitempty has it.</summary>
    private static decimal? Number(JsonNode? seen) =>
        seen is null ? 0 : seen is JsonValue value && decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Sentence(string path, string expected, JsonNode? seen) =>
        $"{(path.Length == 0 ? "the object" : path)}: expected {expected}, saw {seen?.ToJsonString() ?? "nothing"}";

    [GeneratedRegex(@"^([≥≤≠]) (-?[0-9]+)$")]
    private static partial Regex Comparison();
}
