using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>
/// Label selectors: taken exactly when keys and values are what the API server takes, matched as the words say, and rendered so that the
/// API server's grammar reads the same selector back.
/// </summary>
internal sealed partial class LabelSelectorTarget : IFuzzTarget
{
    private static readonly string[] Words = ["a", "b", "app", "web", "x.io/a", "node-1", "A_b", "", "a,b", "a b", "a=b", ")", "-a", "a/b/c", "\u00e9", "\u001b[m", "\u202e", "a\nb", new('x', 63), new('x', 64)];

    private static readonly string[] Operators = ["In", "NotIn", "Exists", "DoesNotExist", "In", "NotIn", "Gt", "in", ""];

    public string Name => "label selector";

    public string Make(Random random)
    {
        string Word() => random.Chance(80) ? Words[random.Next(7)] : random.Mutate(random.Pick(Words), oneIn: 2);
        JsonObject Labels(int most)
        {
            var labels = new JsonObject();
            for (var n = random.Next(most + 1); n > 0; n--) labels[Word()] = Word();
            return labels;
        }
        var expressions = new JsonArray();
        for (var n = random.Next(4); n > 0; n--)
        {
            var isMany = random.Chance(5); // so many that they are hashed
            var values = new JsonArray();
            for (var v = isMany ? random.Next(14, 20) : random.Next(4); v > 0; v--) values.Add((JsonNode)(isMany ? $"v{random.Next(20)}" : Word()));
            expressions.Add(new JsonObject { ["key"] = Word(), ["operator"] = random.Chance(90) ? Operators[random.Next(6)] : random.Pick(Operators), ["values"] = values });
        }
        return new JsonObject { ["selector"] = new JsonObject { ["matchLabels"] = Labels(2), ["matchExpressions"] = expressions }, ["labels"] = Labels(4) }.ToJsonString();
    }

    public string Check(string input)
    {
        if (Parse(input) is not var (labels, expressions, node)) return "no JSON of a selector"; // while it is being cut down
        var taken = LabelSelector.TryCompile(labels, expressions, out var selector, out var error);
        var expected = labels.Select(label => (label.Key, "=", (List<string>)[label.Value])).Concat(expressions.Select(e => (e.Key ?? "", e.Operator ?? "", e.Values ?? []))).ToList();
        Assert.Equal(expected.All(IsValid), taken);
        if (selector is null)
        {
            Properties.IsSentence(error, 450);
            return Properties.Shape(error);
        }
        var matches = expected.All(requirement => Holds(requirement, node));
        Assert.Equal(matches, selector.Matches(node));
        Assert.Equal(expected.Count == 0, selector.MatchesEverything);
        var read = Read(selector.ToString());
        Assert.Equal(expected.Count, read.Count);
        Assert.Equal(expected.Select(Text).Order(StringComparer.Ordinal), read.Select(Text).Order(StringComparer.Ordinal));
        return $"{matches} {string.Join(' ', expected.Select(requirement => $"{requirement.Item2}{Math.Min(requirement.Item3.Count, 16)}").Order())}";
    }

    private static (Dictionary<string, string> Labels, List<LabelSelectorRequirement> Expressions, Dictionary<string, string> Node)? Parse(string input)
    {
        try
        {
            var json = JsonNode.Parse(input)!;
            var selector = json["selector"]!;
            return (Map(selector["matchLabels"]!), JsonSerializer.Deserialize(selector.ToJsonString(), CrdJson.Default.PodSelector)!.MatchExpressions ?? [], Map(json["labels"]!));
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or NullReferenceException or ArgumentException)
        {
            return null;
        }
    }

    private static Dictionary<string, string> Map(JsonNode json) => json.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<string>(), StringComparer.Ordinal);

    private static bool IsValid((string Key, string Operator, List<string> Values) requirement) =>
        Key().IsMatch(requirement.Key) && requirement.Key.Split('/') is var parts && parts[^1].Length <= 63 && (parts.Length == 1 || parts[0].Length <= 253)
        && requirement.Values.All(value => value.Length <= 63 && Value().IsMatch(value))
        && requirement.Operator switch
        {
            "=" => true,
            "In" or "NotIn" => requirement.Values.Count > 0,
            "Exists" or "DoesNotExist" => requirement.Values.Count == 0,
            _ => false,
        };

    private static bool Holds((string Key, string Operator, List<string> Values) requirement, Dictionary<string, string> labels)
    {
        var (key, @operator, values) = requirement;
        return @operator switch
        {
            "=" or "In" => labels.ContainsKey(key) && values.Contains(labels[key]),
            "NotIn" => !labels.ContainsKey(key) || !values.Contains(labels[key]),
            "Exists" => labels.ContainsKey(key),
            _ => !labels.ContainsKey(key),
        };
    }

    /// <summary>The grammar of the labelSelector parameter, piece by piece.</summary>
    private static List<(string Key, string Operator, List<string> Values)> Read(string query)
    {
        var read = new List<(string, string, List<string>)>();
        for (var at = 0; at < query.Length;)
        {
            var match = Term().Match(query, at);
            Assert.True(match.Success, $"\"{query}\" is not read from {at}");
            var values = match.Groups["values"].Value.Split(',').ToList();
            read.Add((match.Groups["key"].Value, match.Groups["op"].Value switch
            {
                "in" => "In",
                "notin" => "NotIn",
                "=" => "=",
                _ => match.Groups["not"].Success ? "DoesNotExist" : "Exists",
            }, match.Groups["op"].Success ? values : []));
            at += match.Length;
        }
        return read;
    }

    private static string Text((string Key, string Operator, List<string> Values) requirement) => $"{requirement.Key} {requirement.Operator} {string.Join('|', requirement.Values)}";

    [GeneratedRegex(@"\A(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\z", RegexOptions.NonBacktracking)]
    private static partial Regex Key();

    [GeneratedRegex(@"\A(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?\z", RegexOptions.NonBacktracking)]
    private static partial Regex Value();

    [GeneratedRegex(@"\G(?<not>!)?(?<key>[A-Za-z0-9_./-]+)(?:(?<op>=)(?<values>[A-Za-z0-9_.-]*)| (?<op>in|notin) \((?<values>[A-Za-z0-9_.,-]*)\))?(?:,(?=.)|\z)")]
    private static partial Regex Term();
}
