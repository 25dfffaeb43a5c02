using System.Globalization;
using System.Text;

namespace KruiseImage.Crds;

/// <summary>
/// Text of strangers for people to read: what a registry, a runtime or the author of an object wrote must not make a second line in a
/// log, nor steer the terminal that shows it, nor turn the words around it about. Such characters are shown as their numbers, "\u001b",
/// which within JSON means the same. Pure.
/// </summary>
public static class Harmless
{
    /// <summary>In one line: breaks become spaces.</summary>
    public static string Line(string text) => IsClean(text, "") ? text : Shown(text.ReplaceLineEndings(" "), "");

    /// <summary>For what is meant to have several lines.</summary>
    public static string Lines(string text) => IsClean(text, "\n\t") ? text : Shown(text, "\n\t");

    /// <summary>A character that does something instead of being seen: controls, marks of direction, separators of lines.</summary>
    public static bool IsActive(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    public static void Escape(StringBuilder to, Rune rune)
    {
        Span<char> units = stackalloc char[2];
        foreach (var unit in units[..rune.EncodeToUtf16(units)]) to.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
    }

    private static bool IsClean(string text, string kept)
    {
        foreach (var c in text)
            if (c is < ' ' or > '~' && !kept.Contains(c, StringComparison.Ordinal)) return false; // rare enough to look closer
        return true;
    }

    /// <summary>Half of a surrogate pair, which no encoding can carry, becomes the mark for it.</summary>
    private static string Shown(string text, string kept)
    {
        var shown = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsActive(rune) && !(rune.IsBmp && kept.Contains((char)rune.Value, StringComparison.Ordinal))) Escape(shown, rune);
            else shown.Append(rune.ToString());
        }
        return shown.ToString();
    }
}
