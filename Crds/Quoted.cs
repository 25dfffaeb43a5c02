using System.Text;

namespace KruiseImage.Crds;

/// <summary>
/// A person's text inside a sentence of ours. Sentences go into conditions, logs and terminals: a line break in an image's name must
/// not make a second log line, nor an escape sequence colour a screen. Long text is cut.
/// </summary>
public static class Quoted
{
    private const int Longest = 128;

    public static string Of(string? text)
    {
        if (text is null) return "null";
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var rune in text.EnumerateRunes())
        {
            if (quoted.Length > Longest) return quoted.Append("…\"").ToString();
            if (Harmless.IsActive(rune)) Harmless.Escape(quoted, rune);
            else quoted.Append(rune.ToString());
        }

        return quoted.Append('"').ToString();
    }
}
