using System.Text.Json.Nodes;
using KruiseImage.Scenarios;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>The language of e2e/conformance: what matches, and what is said when nothing does.</summary>
public class ExpectationTests
{
    [Theory]
    [InlineData("{}", """{"a":1}""", null)]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", null)]
    [InlineData("""{"a":1}""", """{"a":2}""", "a: expected 1, saw 2")]
    [InlineData("""{"a":{"b":"x"}}""", """{"a":{}}""", "a.b: expected x, saw nothing")]
    [InlineData("""{"a":0}""", "{}", null)]
    [InlineData("""{"a":"≥ 2"}""", """{"a":2}""", null)]
    [InlineData("""{"a":"≥ 2"}""", """{"a":1}""", "a: expected ≥ 2, saw 1")]
    [InlineData("""{"a":"≤ 1"}""", """{"a":1}""", null)]
    [InlineData("""{"a":"≠ 1"}""", """{"a":1}""", "a: expected ≠ 1, saw 1")]
    [InlineData("""{"a":"present"}""", """{"a":false}""", null)]
    [InlineData("""{"a":"present"}""", "{}", "a: expected present, saw nothing")]
    [InlineData("""{"a":"absent"}""", """{"b":1}""", null)]
    [InlineData("""{"a":"absent"}""", """{"a":1}""", "a: expected absent, saw 1")]
    [InlineData("""{"a":"/^x+$/"}""", """{"a":"xx"}""", null)]
    [InlineData("""{"a":"/^x+$/"}""", """{"a":"xy"}""", "a: expected /^x+$/, saw \"xy\"")]
    [InlineData("""{"a":"2"}""", """{"a":2}""", "a: expected 2, saw 2")]
    [InlineData("""{"a":["x"]}""", """{"a":["y","x"]}""", null)]
    [InlineData("""{"a":[]}""", """{"a":["y"]}""", "a: expected [], saw [\"y\"]")]
    [InlineData("""{"a":[{"tag":"1","v":2}]}""", """{"a":[{"tag":"0","v":2},{"tag":"1","v":2,"w":3}]}""", null)]
    [InlineData("""{"a":[{"tag":"1","v":2}]}""", """{"a":[{"tag":"1","v":3}]}""", "a[0].v: expected 2, saw 3")]
    [InlineData("""{"a":[{"tag":"1"}]}""", """{"a":[{"tag":"2"},{"tag":"3"}]}""", """a: expected an item like {"tag":"1"}, saw [{"tag":"2"},{"tag":"3"}]""")]
    [InlineData("""{"a":[{"tag":"1"}]}""", "{}", """a: expected [{"tag":"1"}], saw nothing""")]
    public void What_is_named_must_be_so_and_the_rest_may_be_anything(string expected, string seen, string? difference) =>
        Assert.Equal(difference, Expectation.Difference(JsonNode.Parse(expected), JsonNode.Parse(seen), new Dictionary<string, JsonNode>()));

    [Fact]
    public void An_arrow_keeps_what_it_stands_for()
    {
        var captured = new Dictionary<string, JsonNode>();
        var seen = JsonNode.Parse("""{"tags":[{"tag":"0","version":1},{"tag":"1","version":7}]}""");
        Assert.Null(Expectation.Difference(JsonNode.Parse("""{"tags":[{"tag":"1","version":"→ v"}]}"""), seen, captured));
        Assert.Equal(7, captured["v"].GetValue<int>());
    }
}
