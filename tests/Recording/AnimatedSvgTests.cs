using System.Text.RegularExpressions;
using System.Xml.Linq;
using KruiseImage.Bed.Recording;
using Xunit;

namespace KruiseImage.Tests.Recording;

/// <summary>The README's picture: frames of a terminal in, an SVG out.</summary>
public sealed partial class AnimatedSvgTests
{
    private static readonly XNamespace svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Each_frame_is_shown_in_its_time_and_the_last_one_rests()
    {
        var picture = Write((0, "one"), (1, "two"), (4, "three"));
        Assert.Equal([("0", "0"), ("10", "-38"), ("40", "-76")], Keyframes(picture));
        Assert.Contains("animation:film 10s step-end infinite", picture, StringComparison.Ordinal);
        Assert.Equal([("translate(0,0)", "one"), ("translate(0,38)", "two"), ("translate(0,76)", "three")], Frames(picture));
    }

    [Fact]
    public void Who_knows_no_motion_sees_the_last_frame() =>
        Assert.Equal("translate(0,-38)", Film(Write((0, "one"), (1, "two"))).Attribute("transform")!.Value);

    [Fact]
    public void A_screen_that_stays_is_one_frame_and_one_that_comes_back_is_another()
    {
        var picture = Write((0, "one"), (1, "one"), (2, "two"), (3, "one"));
        Assert.Equal(["one", "two", "one"], Frames(picture).Select(frame => frame.Text));
        Assert.Equal(["0", "22.222", "33.333"], Keyframes(picture).Select(frame => frame.Percent));
    }

    [Fact]
    public void A_line_that_many_frames_have_is_written_once()
    {
        var picture = Write((0, "stays\none"), (1, "stays\ntwo"));
        Assert.Single(Regex.Matches(picture, "stays"));
        Assert.Equal(["staysone", "staystwo"], Frames(picture).Select(frame => frame.Text));
    }

    [Fact]
    public void Text_is_where_the_terminal_has_it_and_as_wide()
    {
        var text = Texts(Write((0, "\n  ab c   \u001b[1m\u001b[32m━━\u001b[0m")));
        Assert.Equal([("16.8", "33.6", "ab c", null), ("75.6", "16.8", "━━", "c2 b")], text);
    }

    [Fact]
    public void What_the_terminal_shows_is_no_markup() =>
        Assert.Equal("<g onload=\"x\">&", Texts(Write((0, "<g onload=\"x\">&"))).Single().Text);

    [Fact]
    public void Nothing_comes_from_elsewhere_and_nothing_runs()
    {
        var picture = Write((0, "\u001b[41mred\u001b[7mturned\u001b[0m"));
        Assert.DoesNotMatch("<script|<image|<foreignObject|url\\(|@import|@font-face|href=\"[^#]", picture);
        Assert.Equal("http://www.w3.org/2000/svg", Regex.Match(picture, "https?://[^\"]*").Value);
    }

    [Fact]
    public void A_style_goes_on_in_the_next_line_until_it_ends()
    {
        var lines = ColoredText.Lines("\u001b[91mred\nstill\u001b[39m not\n\n");
        Assert.Equal(["red 9", "still 9", "not "], lines.SelectMany(line => line).Select(run => $"{run.Text} {run.Style.Foreground}"));
        Assert.Equal(6, lines[1][1].Column);
    }

    [Fact]
    public void Spaces_are_kept_where_they_are_seen()
    {
        Assert.Equal("  a  ", Assert.Single(ColoredText.Lines("\u001b[44m  a  \u001b[49m  ")[0]).Text);
        Assert.Equal([(0, "a b"), (6, "c")], ColoredText.Lines("a b   c  ")[0].Select(run => (run.Column, run.Text)));
    }

    [Theory]
    [InlineData("\u001b[38;5;200mpink")]
    [InlineData("\u001b]0;title\u0007")]
    [InlineData("\u001b[2Jm")]
    [InlineData("cut\u001b")]
    public void What_would_be_missing_from_the_picture_is_an_error(string screen) =>
        Assert.Throws<FormatException>(() => ColoredText.Lines(screen));

    private static string Write(params (int Second, string Screen)[] frames) =>
        AnimatedSvg.Write("title", 20, 2, [.. frames.Select(frame => new Frame(TimeSpan.FromSeconds(frame.Second), frame.Screen))], TimeSpan.FromSeconds(6));

    private static XElement Film(string picture) => XDocument.Parse(picture).Descendants(svg + "g").Single(group => group.Attribute("class")?.Value == "film");

    /// <summary>The frames with the texts that their lines refer to.</summary>
    private static IEnumerable<(string Place, string Text)> Frames(string picture) =>
        from frame in Film(picture).Elements(svg + "g")
        select (frame.Attribute("transform")!.Value, string.Concat(frame.Elements(svg + "use").Select(use => Line(picture, use.Attribute("href")!.Value[1..]))));

    private static string Line(string picture, string id) =>
        XDocument.Parse(picture).Descendants(svg + "g").Single(group => group.Attribute("id")?.Value == id).Value;

    private static IEnumerable<(string X, string Width, string Text, string? Class)> Texts(string picture) =>
        from text in XDocument.Parse(picture).Descendants(svg + "text")
        select (text.Attribute("x")!.Value, text.Attribute("textLength")!.Value, text.Value, text.Attribute("class")?.Value);

    private static IEnumerable<(string Percent, string Y)> Keyframes(string picture) =>
        Keyframe().Matches(picture).Select(match => (match.Groups[1].Value, match.Groups[2].Value));

    [GeneratedRegex(@"^([0-9.]+)%\{transform:translateY\((-?[0-9]+)px\)\}$", RegexOptions.Multiline)]
    private static partial Regex Keyframe();
}
