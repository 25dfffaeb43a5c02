using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Modes.Ctl;

/// <summary>A bar of parts that fills the width it is given: each part in its tone, the rest faint.</summary>
public sealed class Bar(int total, params (int Count, Tone Tone)[] parts) : Renderable
{
    private const int MinWidth = 8;
    private const char Full = '━';
    /// <summary>Not done yet: without colours it must not look done.</summary>
    private const char Busy = '╍';
    private const char Empty = '─';

    protected override Measurement Measure(RenderOptions options, int maxWidth) => new(Math.Min(MinWidth, maxWidth), maxWidth);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        var (sum, drawn) = (0L, 0);
        foreach (var (count, tone) in parts)
        {
            // Ends of parts are rounded down, not their lengths: the parts together never pass the sum, and only a full bar looks full.
            sum += count;
            var end = total <= 0 ? 0 : (int)Math.Min(maxWidth, sum * maxWidth / total);
            var glyph = tone == Tone.Busy && parts.Length > 1 ? Busy : Full;
            if (end > drawn) yield return new Segment(new string(glyph, end - drawn), Terminal.StyleOf(tone));
            drawn = Math.Max(drawn, end);
        }
        if (drawn < maxWidth) yield return new Segment(new string(Empty, maxWidth - drawn), Terminal.StyleOf(Tone.Faint));
    }
}
