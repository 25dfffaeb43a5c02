using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>
/// Values that a schema lets pass and that C# types do not hold by themselves. One that threw would hide all objects of its kind
/// from every list and watch; a server of 1.20 takes each of these, and so do newer ones.
/// </summary>
public class ForeignValueTests
{
    [Theory]
    [InlineData("3000000000", int.MaxValue)]
    [InlineData("-3000000000", int.MinValue)]
    [InlineData("1e30", int.MaxValue)]
    [InlineData("7.0", 7)]
    [InlineData("null", null)]
    public void A_number_of_any_size_is_read(string json, int? expected)
    {
        Assert.Equal(expected, Read<ImagePullJobSpec>($$$"""{"pullPolicy":{"timeoutSeconds":{{{json}}}}}""", CrdJson.Default.ImagePullJobSpec).PullPolicy!.TimeoutSeconds);
        Assert.Equal(expected ?? 0, Read<NodeImageStatus>($$"""{"desired":{{json}}}""", CrdJson.Default.NodeImageStatus).Desired);
    }

    [Theory]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("10000000000000000000", long.MaxValue)]
    [InlineData("-1e300", long.MinValue)]
    public void A_long_number_of_any_size_is_read(string json, long expected) =>
        Assert.Equal(expected, Read<CompletionPolicy>($$"""{"activeDeadlineSeconds":{{json}}}""", CrdJson.Default.CompletionPolicy).ActiveDeadlineSeconds);

    [Theory]
    [InlineData("2024-03-01T10:00:00Z", "2024-03-01T10:00:00Z")]
    [InlineData("2024-03-01t10:00:00z", "2024-03-01T10:00:00Z")]
    [InlineData("2024-03-01T10:00:00.12345678901234567890+02:00", null)]
    [InlineData("2016-12-31T23:59:50+23:59", null)]
    [InlineData("0000-01-01T10:00:00Z", null)]
    [InlineData("9999-12-31T23:59:59Z", null)]
    [InlineData("yesterday", null)]
    [InlineData("", null)]
    public void A_time_that_cannot_be_is_a_time_that_was_not_given(string text, string? expected)
    {
        var read = Read<ImageTagSpec>($$"""{"tag":"a","createdAt":"{{text}}"}""", CrdJson.Default.ImageTagSpec).CreatedAt;
        if (expected is not null || read is null) Assert.Equal(expected is null ? null : DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), read);
        else Assert.InRange(read.Value.Year, 1970, 8999); // a fraction longer than ours may be read or not, but never throws
    }

    /// <summary>A schema that keeps unknown fields keeps them at any depth, and managedFields repeat it.</summary>
    [Fact]
    public void An_object_may_nest_as_deep_as_the_server_takes()
    {
        var deep = new StringBuilder().Insert(0, "{\"a\":", 9_000).Append('1').Append('}', 9_000);
        var json = $$$"""{"metadata":{"name":"x","managedFields":[{{{deep}}}]},"spec":{"image":"nginx","podSelector":{"deep":{{{deep}}}},"tolerations":[{{{deep}}}]}}""";
        var job = Read<ImagePullJob>(json, CrdJson.Default.ImagePullJob);
        Assert.Equal("spec.podSelector: label \"deep\" must have a string as its value", Validation.ImagePullJob(job.Spec));
        Assert.Contains("a", JsonSerializer.Serialize(job.Spec.PodSelector!, CrdJson.Default.PodSelector), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("two\nlines", "\"two\\u000alines\"")]
    [InlineData("\u001b[2J", "\"\\u001b[2J\"")]
    [InlineData("right\u202eto left", "\"right\\u202eto left\"")]
    [InlineData("größe 🦭", "\"größe 🦭\"")]
    [InlineData(null, "null")]
    public void A_quoted_text_is_one_line_that_a_terminal_shows_as_it_is(string? text, string expected) => Assert.Equal(expected, Quoted.Of(text));

    [Fact]
    public void A_quoted_text_is_cut() => Assert.InRange(Quoted.Of(new string('x', 1_000_000)).Length, 100, 140);

    private static T Read<T>(string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.Deserialize(json, type)!;
}
