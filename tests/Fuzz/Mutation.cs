namespace KruiseImage.Tests.Fuzz;

/// <summary>Damage as networks, editors and enemies do it: parts lost, doubled, moved and mixed, characters that mean something elsewhere.</summary>
internal static class Mutation
{
    private const int MostMutations = 4;

    /// <summary>Separators of all the grammars, quotes, controls, what ends a line elsewhere, marks of direction, halves of a pair, the widest.</summary>
    private static readonly string[] Odd =
    [
        "/", ":", "@", ".", "_", "-", ",", "=", "!", "*", "?", "[", "]", "{", "}", "(", ")", "\"", "'", "\\", "\\u0000", "\\ud800", "\\\"", "#", "&", "%", "%2F", "+", " ",
        "\0", "\t", "\n", "\r", "\r\n", "\u001b[31m", "\u001b]0;x\a", "\u007f", "\u0085", "\u009b", "\u00a0", "\u00e9", "\u00ff", "\u2028", "\u202e", "\u200b", "\ufeff",
        "\ud800", "\udc00", "\ud83e\uddad", "0", "9", "a", "A", "z", "null", "true", "1e9", "-1", "://", "..", "__", "//",
    ];

    public static T Pick<T>(this Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    public static bool Chance(this Random random, int percent) => random.Next(100) < percent;

    /// <summary>Some pieces in a row.</summary>
    public static string Pieces(this Random random, IReadOnlyList<string> pieces, int most) =>
        string.Concat(Enumerable.Range(0, random.Next(1, most + 1)).Select(_ => random.Pick(pieces)));

    /// <summary>One in <paramref name="oneIn"/> stays as it is.</summary>
    public static string Mutate(this Random random, string text, int oneIn = 4)
    {
        if (random.Next(oneIn) == 0) return text;
        for (var n = random.Next(1, MostMutations + 1); n > 0; n--)
        {
            var at = random.Next(text.Length + 1);
            var length = Math.Min(random.Next(1, 9), text.Length - at);
            text = random.Next(6) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, text.Substring(at, length)),
                2 => text.Insert(random.Next(text.Length + 1), text.Substring(at, length)),
                3 when at < text.Length => text[..at] + random.Pick(Odd) + text[(at + 1)..],
                4 when at < text.Length => text[..at] + (char)(text[at] ^ (1 << random.Next(8))) + text[(at + 1)..],
                _ => text.Insert(at, random.Pick(Odd)),
            };
        }
        return text;
    }
}
