using System.Text.Json;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

public class LabelSelectorTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["app"] = "web", ["tier"] = "front", ["empty"] = "" };

    public static readonly TheoryData<string, string, string, bool> Expressions = new()
    {
        { "app", "In", "web,db", true },
        { "app", "In", "db", false },
        { "app", "In", "WEB", false },
        { "none", "In", "web", false },
        { "app", "NotIn", "db,mail", true },
        { "app", "NotIn", "web,db", false },
        { "none", "NotIn", "web", true },
        { "app", "Exists", "", true },
        { "empty", "Exists", "", true },
        { "none", "Exists", "", false },
        { "app", "DoesNotExist", "", false },
        { "none", "DoesNotExist", "", true },
    };

    public static readonly TheoryData<string?, string?, string, string> Malformed = new()
    {
        { null, "In", "a", "not a label key" },
        { "", "Exists", "", "not a label key" },
        { "a b", "Exists", "", "not a label key" },
        { "-a", "Exists", "", "not a label key" },
        { "/a", "Exists", "", "not a label key" },
        { "x/", "Exists", "", "not a label key" },
        { "X.y/a", "Exists", "", "not a label key" },
        { "a,b=c", "Exists", "", "not a label key" },
        { new string('a', 64), "Exists", "", "not a label key" },
        { "a", "In", "", "needs values" },
        { "a", "NotIn", "", "needs values" },
        { "a", "Exists", "b", "takes no values" },
        { "a", "DoesNotExist", "b", "takes no values" },
        { "a", "in", "b", "none of In" },
        { "a", null, "b", "none of In" },
        { "a", "In", "b c", "not a label value" },
        { "a", "In", "b)", "not a label value" },
    };

    [Theory]
    [MemberData(nameof(Expressions))]
    public void An_expression_matches_as_in_Kubernetes(string key, string @operator, string values, bool matches) =>
        Assert.Equal(matches, Compile(null, Expression(key, @operator, values)).Matches(Labels));

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_the_API_server_would_refuse_does_not_compile(string? key, string? @operator, string values, string reason)
    {
        Assert.False(LabelSelector.TryCompile(null, [Expression(key, @operator, values)], out var selector, out var error));
        Assert.Null(selector);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void All_requirements_must_hold()
    {
        var selector = Compile(new() { ["app"] = "web" }, Expression("tier", "In", "front"));
        Assert.True(selector.Matches(Labels));
        Assert.False(selector.Matches(new Dictionary<string, string> { ["app"] = "web" }));
        Assert.False(selector.Matches(new Dictionary<string, string> { ["tier"] = "front" }));
        Assert.False(selector.Matches(null));
    }

    [Fact]
    public void Many_values_match_as_few_do()
    {
        var names = string.Join(',', Enumerable.Range(0, 100).Select(i => $"node-{i}"));
        var node = new Dictionary<string, string> { ["name"] = "node-99" };
        Assert.True(Compile(null, Expression("name", "In", names)).Matches(node));
        Assert.False(Compile(null, Expression("name", "NotIn", names)).Matches(node));
        Assert.False(Compile(null, Expression("name", "In", names)).Matches(Labels));
    }

    [Fact]
    public void Nothing_required_matches_everything()
    {
        foreach (var selector in (LabelSelector[])[Compile(null), Compile([]), LabelSelector.Everything])
        {
            Assert.True(selector.MatchesEverything);
            Assert.True(selector.Matches(null));
            Assert.True(selector.Matches(Labels));
            Assert.Equal("", selector.ToString());
        }
    }

    [Fact]
    public void The_query_is_what_the_API_server_parses()
    {
        var selector = Compile(
            new() { ["b"] = "", ["a.io/x"] = "1" },
            Expression("c", "In", "d,e"), Expression("f", "NotIn", "g"), Expression("h", "Exists", ""), Expression("i", "DoesNotExist", ""));
        Assert.Equal("a.io/x=1,b=,c in (d,e),f notin (g),h,!i", selector.ToString());
    }

    [Theory]
    [InlineData("""{"pod-label":"xxx"}""", "pod-label=xxx")]
    [InlineData("""{"matchLabels":{"pod-label":"xxx"}}""", "pod-label=xxx")]
    [InlineData("""{"matchLabels":{"a":"b"},"c/d":"e","matchExpressions":[{"key":"f","operator":"Exists"}]}""", "a=b,c/d=e,f")]
    [InlineData("{}", "")]
    public void A_podSelector_takes_labels_with_and_without_matchLabels(string json, string query)
    {
        Assert.True(LabelSelector.TryCompile(Read(json), out var selector, out var error), error);
        Assert.Equal(query, selector.ToString());
    }

    [Theory]
    [InlineData("""{"pod-label":1}""", "must have a string")]
    [InlineData("""{"pod-label":null}""", "must have a string")]
    [InlineData("""{"matchlabels":{"a":"b"}}""", "must have a string")]
    [InlineData("""{"a":"b","matchLabels":{"a":"c"}}""", "given twice")]
    [InlineData("""{"a":"b c"}""", "not a label value")]
    public void A_podSelector_with_anything_else_does_not_compile(string json, string reason)
    {
        Assert.False(LabelSelector.TryCompile(Read(json), out _, out var error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    private static PodSelector Read(string json) => JsonSerializer.Deserialize(json, CrdJson.Default.PodSelector)!;

    private static LabelSelectorRequirement Expression(string? key, string? @operator, string values) =>
        new() { Key = key, Operator = @operator, Values = [.. values.Split(',', StringSplitOptions.RemoveEmptyEntries)] };

    private static LabelSelector Compile(Dictionary<string, string>? matchLabels, params List<LabelSelectorRequirement> expressions)
    {
        Assert.True(LabelSelector.TryCompile(matchLabels, expressions, out var selector, out var error), error);
        return selector;
    }
}
