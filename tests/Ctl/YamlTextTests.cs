using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using KruiseImage.Modes.Ctl;
using Xunit;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Tests.Ctl;

public class YamlTextTests
{
    /// <summary>Parts that mean something in some YAML, and words that look like other types, put together at will.</summary>
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf(
            "", " ", "~", "null", "Null", "true", "True", "no", "NO", "on", "y", "1", "1.0", "1e3", "0x1", "0o7", "017", "1_000", ".inf", ".NaN", "1:30",
            "2026-11-25", "2026-11-25T12:00:00Z", "-", "--- a", "---", "...", "? a", "a: b", "a:", "a #b", "#a", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a",
            "<<", "=", "[a]", "{a: b}", "a\nb", "a\nb\n", "a\n\n", "\na", " a\nb", "a \nb", "a\n  b\n", "a\r\nb", "a\tb", "\ta", "'a'", "\"a\"", "nginx:1.9.1",
            "a\u0085b", "a\u2028b", "\u200ba", "\ufeffa", "é", "日本", "a😀", "\u0000", "a\u001bb", "\\n", "a\n# b", "a\n---\nb", "a\n\n\nb"),
        Gen.String[Gen.Char["abn0 1:#-\n\t'\"\\|>~é{}[],&*!?%@.\u2028"], 0, 12]);

    private static readonly Gen<JsonNode?> Scalars = Gen.OneOf(
        Texts.Select(text => (JsonNode?)JsonValue.Create(text)),
        Gen.Long.Select(number => (JsonNode?)JsonValue.Create(number)),
        Gen.Double[-1e6, 1e6].Select(number => (JsonNode?)JsonValue.Create(number)),
        Gen.Bool.Select(flag => (JsonNode?)JsonValue.Create(flag)),
        Gen.Const((JsonNode?)null));

    private static Gen<JsonNode?> Values(int depth) => depth == 0 ? Scalars : Gen.OneOf(
        Scalars,
        Values(depth - 1).Array[0, 4].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])),
        Gen.Select(Texts, Values(depth - 1)).Array[0, 4].Select(pairs => (JsonNode?)new JsonObject(
            pairs.DistinctBy(pair => pair.Item1).Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2?.DeepClone())))));

    private static string Yaml(JsonNode? value) => YamlText.Of(Encoding.UTF8.GetBytes(value?.ToJsonString() ?? "null"));

    [Fact]
    public void A_YAML_parser_reads_the_same_JSON_again() => Values(3).Sample(value =>
    {
        var again = Read(Yaml(value) + "\n");
        Assert.Equal(value?.ToJsonString(), again?.ToJsonString());
    }, iter: 3000);

    [Fact]
    public void Depth_costs_no_stack()
    {
        const int Depth = 5000;
        var yaml = YamlText.Of(Encoding.UTF8.GetBytes(new string('[', Depth) + new string(']', Depth)));
        Assert.EndsWith("[]", yaml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nginx:1.9.1", "nginx:1.9.1")]
    [InlineData("node(s) had no room, waits", "node(s) had no room, waits")]
    [InlineData("true", "\"true\"")]
    [InlineData("1.0", "\"1.0\"")]
    [InlineData("null", "\"null\"")]
    [InlineData("~", "\"~\"")]
    [InlineData("0x1", "\"0x1\"")]
    [InlineData("2026-11-25T12:00:00Z", "\"2026-11-25T12:00:00Z\"")]
    [InlineData("", "\"\"")]
    [InlineData(" a", "\" a\"")]
    [InlineData("a ", "\"a \"")]
    [InlineData("it said: no", "\"it said: no\"")]
    [InlineData("a\nb\n", "|\n    a\n    b")]
    [InlineData("a\nb", "|-\n    a\n    b")]
    public void Text_that_could_mean_something_else_is_quoted(string text, string yaml) =>
        Assert.Equal($"key:\n  inner: {yaml}", Yaml(new JsonObject { ["key"] = new JsonObject { ["inner"] = text } }));

    [Fact]
    public void Numbers_and_truth_stay_what_they_are() => Assert.Equal(
        "a: 1\nb: 1.5\nc: true\nd: null\ne: []\nf: {}", Yaml(JsonNode.Parse("""{"a":1,"b":1.5,"c":true,"d":null,"e":[],"f":{}}""")));

    [Fact]
    public void What_a_terminal_would_obey_is_written_as_its_number_and_means_the_same()
    {
        using var page = new Page();
        page.Terminal.Print(Yaml(new JsonObject { ["a"] = "x\u202ey\u001b[2J" }));
        Assert.DoesNotContain('\u001b', page.Text);
        Assert.DoesNotContain('\u202e', page.Text);
        Assert.Equal("x\u202ey\u001b[2J", Read(page.Text)!["a"]!.GetValue<string>());
    }

    private static JsonNode? Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Convert(stream.Documents[0].RootNode);
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value ?? "", Convert(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new NotSupportedException($"YAML {node.NodeType}"),
    };

    private static JsonValue? Plain(string text) => text switch
    {
        "null" or "~" or "" => null,
        "true" or "True" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };
}
