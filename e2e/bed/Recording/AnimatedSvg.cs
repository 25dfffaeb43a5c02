using System.Globalization;
using System.Security;
using System.Text;

namespace KruiseImage.Bed.Recording;

/// <summary>What the screen showed, as <c>tmux capture-pane -e</c> prints it, and when.</summary>
public sealed record Frame(TimeSpan At, string Screen);

/// <summary>
/// Makes a picture that moves from frames of a terminal: frames in, text of an SVG out. Pure. Without script and fonts of its own, so
/// that it moves in an <c>img</c> too. The frames hang below one another like a film, and the film jumps from one to the next; who
/// wants no motion, or knows none, sees the last.
/// </summary>
public static class AnimatedSvg
{
    private const double Cell = 8.4; // the width of a character of 14 pixels in nearly every fixed-width font
    private const int LineHeight = 19, Baseline = 14, Margin = 16;
    private const string Screen = "#161b22", Ink = "#d5dbe3";

    /// <summary>Readable on <see cref="Screen"/>: black to white, then the bright ones.</summary>
    private static readonly string[] palette =
    [
        "#565f6b", "#ff7b72", "#56d364", "#e3b341", "#6cb6ff", "#d2a8ff", "#56d4dd", "#c9d1d9",
        "#8b949e", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#8be9f0", "#ffffff",
    ];

    /// <param name="title">For those who hear the picture.</param>
    /// <param name="rest">How long the last frame stays before everything begins again.</param>
    public static string Write(string title, int columns, int rows, IReadOnlyList<Frame> frames, TimeSpan rest)
    {
        var film = Distinct(frames);
        if (film.Count == 0)
            throw new ArgumentException("a picture needs a frame", nameof(frames));
        int width = (int)Math.Ceiling(columns * Cell) + (2 * Margin), screenHeight = rows * LineHeight, height = screenHeight + (2 * Margin);
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var shown = new StringBuilder();
        for (var frame = 0; frame < film.Count; frame++)
            shown.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate(0,{frame * screenHeight})\">").Append(Uses(film[frame].Screen, lines)).Append("</g>\n");
        var definitions = string.Concat(lines.OrderBy(line => line.Value).Select(line => $"<g id=\"l{line.Value}\">{line.Key}</g>\n"));
        var colors = string.Join('\n', palette.Select((color, index) => $".c{index}{{fill:{color}}}"));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{{width}}" height="{{height}}" viewBox="0 0 {{width}} {{height}}" role="img">
            <title>{{SecurityElement.Escape(title)}}</title>
            <style>
            text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:{{Ink}};white-space:pre}
            .b{font-weight:bold}.d{opacity:.65}.i{font-style:italic}.u{text-decoration:underline}
            {{colors}}
            .film{animation:film {{Seconds(film[^1].At - film[0].At + rest)}}s step-end infinite}
            @keyframes film{
            {{Keyframes(film, rest, screenHeight)}}
            }
            @media (prefers-reduced-motion:reduce){.film{animation:none} }
            </style>
            <defs>
            {{definitions}}</defs>
            <rect width="{{width}}" height="{{height}}" rx="8" fill="{{Screen}}"/>
            <svg x="{{Margin}}" y="{{Margin}}" width="{{width - (2 * Margin)}}" height="{{screenHeight}}">
            <g class="film" transform="translate(0,{{-(film.Count - 1) * screenHeight}})">
            {{shown}}</g>
            </svg>
            </svg>

            """).ReplaceLineEndings("\n");
    }

    /// <summary>A screen that stays as it was is one frame.</summary>
    private static List<Frame> Distinct(IReadOnlyList<Frame> frames) =>
        [.. frames.Where((frame, index) => index == 0 || frame.Screen != frames[index - 1].Screen)];

    private static string Keyframes(List<Frame> film, TimeSpan rest, int screenHeight)
    {
        var whole = film[^1].At - film[0].At + rest;
        return string.Join('\n', film.Select((frame, number) => string.Create(CultureInfo.InvariantCulture,
            $"{(frame.At - film[0].At) / whole * 100:0.###}%{{transform:translateY({-number * screenHeight}px)}}")));
    }

    /// <summary>Most lines stay as they are from frame to frame: each is written once, in <paramref name="lines"/>.</summary>
    private static string Uses(string screen, Dictionary<string, int> lines)
    {
        var uses = new StringBuilder();
        var row = 0;
        foreach (var runs in ColoredText.Lines(screen))
        {
            if (runs.Count > 0)
            {
                var line = string.Concat(runs.Select(Drawn));
                if (!lines.TryGetValue(line, out var number))
                    lines[line] = number = lines.Count;
                uses.Append(CultureInfo.InvariantCulture, $"<use href=\"#l{number}\" y=\"{row * LineHeight}\"/>");
            }
            row++;
        }
        return uses.ToString();
    }

    /// <summary>The width is said, so that columns stand below one another in whatever font the reader has.</summary>
    private static string Drawn(Run run)
    {
        var style = run.Style;
        var cells = ColoredText.Width(run.Text);
        var (ink, ground) = (Color(style.Foreground, Ink), style.Background is { } background ? palette[background] : Screen);
        if (style.Reverse)
            (ink, ground) = (ground, ink);
        var rectangle = ground == Screen ? ""
            : string.Create(CultureInfo.InvariantCulture, $"<rect x=\"{run.Column * Cell:0.#}\" width=\"{cells * Cell:0.#}\" height=\"{LineHeight}\" fill=\"{ground}\"/>");
        string?[] classes = [style.Foreground is { } index && !style.Reverse ? $"c{index}" : null,
            style.Bold ? "b" : null, style.Dim ? "d" : null, style.Italic ? "i" : null, style.Underline ? "u" : null];
        var named = string.Join(' ', classes.OfType<string>());
        var looks = (named.Length > 0 ? $" class=\"{named}\"" : "") + (style.Reverse ? $" style=\"fill:{ink}\"" : "");
        return rectangle + string.Create(CultureInfo.InvariantCulture,
            $"<text x=\"{run.Column * Cell:0.#}\" y=\"{Baseline}\" textLength=\"{cells * Cell:0.#}\"{looks}>{SecurityElement.Escape(run.Text)}</text>");
    }

    private static string Color(int? index, string own) => index is { } color ? palette[color] : own;

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.##", CultureInfo.InvariantCulture);
}
