using System.Text.RegularExpressions;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>
/// The parser of image references, written for speed and for its sentences, against the grammar of Docker's reference package as regular
/// expressions: both take the same texts and see the same parts in them.
/// </summary>
internal sealed partial class ImageReferenceTarget : IFuzzTarget
{
    private static readonly string Hex = new('7', 64);

    private static readonly string[] Pieces =
    [
        "a", "nginx", "0", "foo.bar", "x-y", "a__b", "localhost", "docker.io", "index.docker.io", "quay.io", "library", "Up", "[::1]", "[fe80::1]", "xn--p1ai",
        "/", "/", "/", "/", ":", ":", "@", ".", "_", "--", ":5000", ":5000/", "1.9.1", ":latest", "@sha256:" + Hex, "@sha512:" + Hex + Hex, "@sha384:" + Hex, Hex,
    ];

    public string Name => "image reference";

    public string Make(Random random)
    {
        var text = random.Mutate(random.Pieces(Pieces, 7), oneIn: 2);
        // Around the bounds of length.
        return random.Chance(3) ? text.PadRight(random.Next(100, 600), random.Pick(["a", "/a", ".", "0"])[^1]) : text;
    }

    public string Check(string input)
    {
        var taken = ImageReference.TryParse(input, out var reference, out var error);
        var expected = Expected(input);
        Assert.Equal(expected is not null, taken);
        if (reference is null)
        {
            Properties.IsSentence(error, 400);
            return Properties.Shape(error);
        }
        Assert.Equal(expected, (reference.CanonicalName, reference.Tag, reference.Digest));
        Assert.Null(ImageReference.TagOrDigestError(reference.TagOrDigest));
        foreach (var name in (string[])[reference.FamiliarName, reference.CanonicalName])
        {
            Assert.True(ImageReference.TryParse(ImageReference.ForRuntime(name, reference.TagOrDigest), out var again, out _));
            Assert.Equal((reference.FamiliarName, reference.CanonicalName, reference.TagOrDigest), (again.FamiliarName, again.CanonicalName, again.TagOrDigest));
        }
        return $"{reference.Registry == ImageReference.DockerHub} {reference.Tag is null} {reference.Digest?.Length} {reference.FamiliarName == reference.CanonicalName}";
    }

    /// <summary>Step by step as Docker's ParseNormalizedNamed; name and path together have the length that ours allows.</summary>
    private static (string Name, string? Tag, string? Digest)? Expected(string text)
    {
        if (Identifier().IsMatch(text)) return null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : text[..slash];
        var isDomain = slash >= 0 && (first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" || first.Any(char.IsAsciiLetterUpper));
        var (domain, rest) = isDomain ? (first, text[(slash + 1)..]) : ("docker.io", text);
        if (domain == "index.docker.io") domain = "docker.io";
        if (domain == "docker.io" && !rest.Contains('/', StringComparison.Ordinal)) rest = "library/" + rest;
        if (Grammar().Match($"{domain}/{rest}") is not { Success: true } match) return null;
        var name = $"{domain}/{match.Groups["path"].Value}";
        return name.Length > 255 ? null : (name, Group(match, "tag"), Group(match, "digest"));
    }

    private static string? Group(Match match, string name) => match.Groups[name] is { Success: true } group ? group.Value : null;

    [GeneratedRegex(@"\A[a-f0-9]{64}\z")]
    private static partial Regex Identifier();

    [GeneratedRegex("""
        \A
        (?: \[[a-fA-F0-9:]+\] | (?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))* )
        (?: :[0-9]+ )? /
        (?<path> [a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)* (?: / [a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)* )* )
        (?: : (?<tag> [a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127} ) )?
        (?: @ (?<digest> sha256:[a-f0-9]{64} | sha384:[a-f0-9]{96} | sha512:[a-f0-9]{128} ) )?
        \z
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.NonBacktracking)]
    private static partial Regex Grammar();
}

/// <summary>What holds for whatever we say to people, wherever it comes from.</summary>
internal static partial class Properties
{
    /// <summary>Something, of bounded length, that cannot forge a line nor steer a terminal.</summary>
    public static void IsSentence(string text, int longest)
    {
        Assert.InRange(text.Length, 1, longest);
        if (Steering().Match(text) is { Success: true } match) Assert.Fail($"has the character {(int)match.Value[0]:x4}: {Fuzzer.Literal(text)}");
    }

    /// <summary>Without what comes from the input.</summary>
    public static string Shape(string sentence) => Particular().Replace(sentence, "N");

    [GeneratedRegex(@"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]")]
    private static partial Regex Steering();

    [GeneratedRegex("""
        "[^"]*"|\d+
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Particular();
}
