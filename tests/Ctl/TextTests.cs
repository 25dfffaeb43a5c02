using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class TextTests
{
    private static ImageReference Image(string text) => ImageReference.TryParse(text, out var image, out var error) ? image : throw new ArgumentException(error);

    [Theory]
    [InlineData("nginx:1.9.1", "nginx-1-9-1-")]
    [InlineData("nginx", "nginx-latest-")]
    [InlineData("localhost:5000/team/My_app:v2", null)]
    [InlineData("localhost:5000/team/my__app:V2_Final", "my-app-v2-final-")]
    [InlineData("quay.io/a/b@sha256:2f68b99bc0d6d25d0c56876b924ec20418544ff28e1fb89a4c27679a40da811b", "b-2f68b99bc0d6-")]
    public void A_job_is_named_after_its_image(string text, string? prefix)
    {
        if (prefix is null) Assert.False(ImageReference.TryParse(text, out _, out _));
        else Assert.Equal(prefix, JobName.Prefix(Image(text)));
    }

    [Fact]
    public void A_generated_name_is_a_valid_name() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 200], Gen.String[Gen.Char["aZ0._-"], 0, 127]).Sample((repository, tag) =>
        {
            if (!ImageReference.TryParse($"{repository.ToLowerInvariant()}:a{tag}", out var image, out _)) return;
            Assert.Matches("^[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?-$", JobName.Prefix(image));
        });

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("600", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("0", 0)]
    [InlineData("2d", 172800)]
    [InlineData("", null)]
    [InlineData("5x", null)]
    [InlineData("s", null)]
    [InlineData("-5s", null)]
    [InlineData("1.5h", null)]
    [InlineData("99999999999s", null)]
    [InlineData("2147483647d", null)]
    public void Durations_as_people_type_them(string text, int? seconds)
    {
        Assert.Equal(seconds is not null, DurationText.TryParse(text, out var duration));
        if (seconds is not null) Assert.Equal(seconds, (int)duration.TotalSeconds);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(130, "2m10s")]
    [InlineData(3600, "60m")]
    [InlineData(11400, "3h10m")]
    [InlineData(100_000, "27h")]
    [InlineData(200_000, "2d7h")]
    [InlineData(864_000, "10d")]
    public void Durations_as_kubectl_prints_them(int seconds, string text) => Assert.Equal(text, DurationText.Short(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("a=b", "a=b")]
    [InlineData("a==b , c=d", "a=b,c=d")]
    [InlineData("a!=b", "a notin (b)")]
    [InlineData("pool in (web, edge),!old,gpu", "pool in (web,edge),!old,gpu")]
    [InlineData("x notin (a)", "x notin (a)")]
    [InlineData("a=", "a=")]
    public void Selectors_mean_what_kubectl_means(string text, string rendered)
    {
        var selector = SelectorText.Parse("-l", text);
        Assert.True(LabelSelector.TryCompile(selector.MatchLabels, selector.MatchExpressions, out var compiled, out _));
        Assert.Equal(rendered, compiled.ToString());
    }

    [Theory]
    [InlineData("", "a term between commas is empty")]
    [InlineData("a=b,", "a term between commas is empty")]
    [InlineData("a in (b", "the parentheses do not match")]
    [InlineData("a in b)", "the parentheses do not match")]
    [InlineData("a of (b)", "\"a of (b)\" is neither KEY in (A,B) nor KEY notin (A,B)")]
    [InlineData("a=b,a=c", "it asks for two values of \"a\"; write a in (a,b)")]
    [InlineData("-=b", "\"-\" is not a label key")]
    public void A_malformed_selector_is_quoted_with_the_reason(string text, string why)
    {
        var wrong = Assert.Throws<CommandException>(() => SelectorText.Parse("--selector", text));
        Assert.Equal($"--selector \"{text}\": {why}", wrong.Message);
        Assert.Equal(ExitCode.Usage, wrong.ExitCode);
    }

    [Fact]
    public void No_text_makes_the_selector_parser_fall_over() => Gen.String[Gen.Char["ab=!, ()in"], 0, 20].Sample(text =>
    {
        try
        {
            SelectorText.Parse("-l", text);
        }
        catch (CommandException wrong)
        {
            Assert.Contains(text, wrong.Message, StringComparison.Ordinal);
        }
    });

    [Theory]
    [InlineData("pul", "pull")]
    [InlineData("gte", "get")]
    [InlineData("--wiat", "--wait")]
    [InlineData("something", null)]
    public void The_near_word_is_found(string word, string? near) => Assert.Equal(near, Nearest.To(word, ["pull", "wait", "get", "describe", "--wait"]));

    [Fact]
    public void Distance_is_symmetric_and_zero_only_for_equal_words() =>
        Gen.Select(Gen.String[Gen.Char["ab-"], 0, 8], Gen.String[Gen.Char["ab-"], 0, 8]).Sample((a, b) =>
        {
            Assert.Equal(Nearest.Distance(a, b), Nearest.Distance(b, a));
            Assert.Equal(a == b, Nearest.Distance(a, b) == 0);
        });
}
