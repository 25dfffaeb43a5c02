using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace KruiseImage.Bed.Recording;

/// <summary>How characters look. A colour is an index into the palette of 16, or null for the terminal's own.</summary>
public readonly record struct Style(int? Foreground, int? Background, bool Bold, bool Dim, bool Italic, bool Underline, bool Reverse);

/// <summary>Characters of one line that stand side by side and look the same.</summary>
public sealed record Run(int Column, string Text, Style Style);

/// <summary>
/// Reads what <c>tmux capture-pane -e</c> prints of a screen: text with escape sequences of colours and nothing else. Pure. What it
/// does not know is an error, because it would be missing from the picture.
/// </summary>
public static partial class ColoredText
{
    private const char Escape = '\u001b';

    /// <summary>The runs of each line; what shows nothing is left out. A style goes on in the next line, as tmux means it.</summary>
    public static IReadOnlyList<IReadOnlyList<Run>> Lines(string screen)
    {
        var lines = new List<IReadOnlyList<Run>>();
        var style = default(Style);
        foreach (var line in screen.TrimEnd('\n').Split('\n'))
            lines.Add(Line(line, ref style));
        return lines;
    }

    // A picture may draw several spaces as one, so that what stands behind them is a run of its own.
    [GeneratedRegex("[^ ]+(?: [^ ]+)*")]
    private static partial Regex Words();

    private static List<Run> Line(string line, ref Style style)
    {
        var runs = new List<Run>();
        var text = new StringBuilder();
        var column = 0;
        for (var at = 0; at < line.Length;)
        {
            if (line[at] != Escape)
            {
                text.Append(line[at++]);
                continue;
            }
            var end = line.IndexOf('m', at);
            if (end < 0 || line[at + 1] != '[')
                throw new FormatException($"not a sequence of colours: {line[at..].Replace(Escape, '^')}");
            column = Add(runs, column, text, style);
            style = line[(at + 2)..end].Split(';').Aggregate(style, With);
            at = end + 1;
        }
        Add(runs, column, text, style);
        return runs;
    }

    private static int Add(List<Run> runs, int start, StringBuilder text, Style style)
    {
        var shown = text.ToString();
        text.Clear();
        if (shown.Length > 0 && style is not { Background: null, Reverse: false, Underline: false })
            runs.Add(new Run(start, shown, style)); // its spaces are seen
        else
            runs.AddRange(Words().Matches(shown).Select(words => new Run(start + Width(shown[..words.Index]), words.Value, style)));
        return start + Width(shown);
    }

    /// <summary>Columns of the screen that the text takes: ctl writes no character that takes two.</summary>
    public static int Width(string text) => text.EnumerateRunes().Count();

    private static Style With(Style style, string code) => (code.Length == 0 ? 0 : int.Parse(code, CultureInfo.InvariantCulture)) switch
    {
        0 => default,
        1 => style with { Bold = true },
        2 => style with { Dim = true },
        3 => style with { Italic = true },
        4 => style with { Underline = true },
        7 => style with { Reverse = true },
        22 => style with { Bold = false, Dim = false },
        23 => style with { Italic = false },
        24 => style with { Underline = false },
        27 => style with { Reverse = false },
        >= 30 and <= 37 and var color => style with { Foreground = color - 30 },
        39 => style with { Foreground = null },
        >= 40 and <= 47 and var color => style with { Background = color - 40 },
        49 => style with { Background = null },
        >= 90 and <= 97 and var color => style with { Foreground = color - 90 + 8 },
        >= 100 and <= 107 and var color => style with { Background = color - 100 + 8 },
        _ => throw new FormatException($"no such colour here: {code}"),
    };
}
