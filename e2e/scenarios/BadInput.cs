using System.Text.Json.Nodes;

namespace KruiseImage.Scenarios;

/// <summary>What the system answers to one value.</summary>
public enum BadInputAnswer
{
    /// <summary>The schema of any server refuses it, in words that contain the expectation.</summary>
    Refused,
    /// <summary>A server with CEL refuses it with our sentence; an older one takes it, and the controller puts the sentence into the condition Invalid.</summary>
    Invalid,
    /// <summary>It is stored as the expectation says: pruned (null), defaulted, or as it is.</summary>
    Becomes,
}

/// <summary>One row of bad-input.yaml: a healthy spec with one value changed, and the answer to it.</summary>
public sealed record BadInput(string Kind, string At, JsonObject Spec, BadInputAnswer Answer, JsonNode? Expected)
{
    /// <summary>All rows, from the folder of the table.</summary>
    public static IEnumerable<BadInput> ReadAll(string folder)
    {
        foreach (var table in YamlJson.Read(File.ReadAllText(Path.Combine(folder, "bad-input.yaml")))!.AsArray())
        {
            foreach (var row in table!["rows"]!.AsArray().Select(row => row!.AsObject()))
            {
                var spec = table["spec"]!.DeepClone().AsObject();
                var at = row["at"]!.GetValue<string>();
                Set(spec, at, row["is"]);
                foreach (var kind in table["kinds"]!.AsArray().Select(kind => kind!.GetValue<string>()))
                    yield return Row(kind, at, spec, row);
            }
        }
    }

    public override string ToString() => $"{Kind} {At} = {Short(At.Split('.').Aggregate((JsonNode?)Spec, Step))}";

    /// <summary>The value at the row's place in an object's spec.</summary>
    public JsonNode? Seen(JsonNode? spec) => At.Split('.').Aggregate(spec, Step);

    private static BadInput Row(string kind, string at, JsonObject spec, JsonObject row) =>
        row.ContainsKey("refused") ? new(kind, at, spec, BadInputAnswer.Refused, row["refused"]!.DeepClone())
        : row.ContainsKey("invalid") ? new(kind, at, spec, BadInputAnswer.Invalid, row["invalid"]!.DeepClone())
        : row.ContainsKey("becomes") ? new(kind, at, spec, BadInputAnswer.Becomes, Expand(row["becomes"]))
        : throw new InvalidDataException($"{kind} {at}: the row has no answer");

    private static void Set(JsonObject spec, string at, JsonNode? value)
    {
        var steps = at.Split('.');
        var parent = steps[..^1].Aggregate((JsonNode)spec, (node, step) => Step(node, step) ?? (node[step] = new JsonObject()));
        if (parent is JsonArray list) list[int.Parse(steps[^1], System.Globalization.CultureInfo.InvariantCulture)] = Expand(value);
        else parent[steps[^1]] = Expand(value);
    }

    private static JsonNode? Step(JsonNode? node, string step) => node switch
    {
        JsonArray list => int.TryParse(step, out var index) && index < list.Count ? list[index] : null,
        JsonObject fields => fields[step],
        _ => null,
    };

    /// <summary>Values too long to write: {$repeat: [x, 64]}, {$list: ["image-#", 257]}, {$map: ["image-#", 257, value]}.</summary>
    private static JsonNode? Expand(JsonNode? value) => value switch
    {
        JsonObject { Count: 1 } only when only.First() is { Key: "$repeat", Value: JsonArray repeat } =>
            string.Concat(Enumerable.Repeat(repeat[0]!.GetValue<string>(), Number(repeat[1]!))),
        JsonObject { Count: 1 } only when only.First() is { Key: "$list", Value: JsonArray list } =>
            new JsonArray([.. Numbered(list).Select(text => (JsonNode)text)]),
        JsonObject { Count: 1 } only when only.First() is { Key: "$map", Value: JsonArray map } =>
            new JsonObject(Numbered(map).Select(text => KeyValuePair.Create(text, map[2]?.DeepClone()))),
        JsonObject fields => new JsonObject(fields.Select(field => KeyValuePair.Create(field.Key, Expand(field.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Expand)]),
        _ => value?.DeepClone(),
    };

    private static IEnumerable<string> Numbered(JsonArray pattern) => Enumerable.Range(0, Number(pattern[1]!))
        .Select(number => pattern[0]!.GetValue<string>().Replace("#", number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));

    private static int Number(JsonNode node) => checked((int)node.GetValue<long>());

    private static string Short(JsonNode? value)
    {
        return value?.ToJsonString() is { Length: > 80 } text ? text[..80] + "…" : value?.ToJsonString() ?? "null";
    }
}
