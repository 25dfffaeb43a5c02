using System.Globalization;
using System.Text;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>What a piece of text means; a terminal shows it as a colour, a file not at all.</summary>
public enum Tone
{
    Plain,
    Good,
    Busy,
    Bad,
    Faint,
}

/// <summary>One value of a table or of a description: one line, in which nothing steers the terminal, whoever wrote it.</summary>
public readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public string Text { get; init => field = Harmless.Line(value); } = Harmless.Line(Text);

    public static implicit operator Cell(string text) => new(text);

    public static implicit operator Cell(int count) => new(count.ToString(CultureInfo.InvariantCulture));

    /// <summary>A count that stands out only when there is something to count.</summary>
    public static Cell Count(int count, Tone tone) => new(count.ToString(CultureInfo.InvariantCulture), count > 0 ? tone : Tone.Plain);
}

/// <summary>Rows under headings, still without any idea of where they are shown. Made by the views, written by Terminal.</summary>
public sealed class TableView(params string[] headings)
{
    private const int Gap = 3;
    private const int MinLastWidth = 24;
    private readonly List<Cell[]> _rows = [];

    public IReadOnlyList<string> Headings => headings;

    /// <summary>Columns that a narrow screen does without, the least needed first. A file always has them all.</summary>
    public string[] DropWhenNarrow { get; init; } = [];

    public IReadOnlyList<Cell[]> Rows => _rows;

    public void Add(params Cell[] row)
    {
        if (row.Length != headings.Length) throw new ArgumentException($"a row of {row.Length} cells in a table of {headings.Length}", nameof(row));
        _rows.Add(row);
    }

    /// <summary>
    /// The table without the columns that do not fit; null when even then a row is wider than the screen. The last column may
    /// wrap, so it needs a part of its width only.
    /// </summary>
    public TableView? FitTo(int width, int gap)
    {
        var table = this;
        foreach (var heading in (string?[])[.. DropWhenNarrow, null])
        {
            var widths = table.Widths();
            if (widths[..^1].Sum(column => column + gap) + Math.Min(widths[^1], MinLastWidth) <= width) return table;
            if (heading is not null) table = table.Without(heading);
        }
        return null;
    }

    private TableView Without(string heading)
    {
        var dropped = Array.IndexOf(headings, heading);
        var table = new TableView([.. headings[..dropped], .. headings[(dropped + 1)..]]);
        foreach (var row in _rows) table.Add([.. row[..dropped], .. row[(dropped + 1)..]]);
        return table;
    }

    private int[] Widths() =>
        [.. headings.Select((heading, column) => _rows.Select(row => PlainText(row[column]).Length).Append(heading.Length).Max())];

    /// <summary>For files and pipes: one line a row, columns aligned, nothing cut, no space at the end, "-" where there is nothing.</summary>
    public IEnumerable<string> PlainLines()
    {
        var widths = Widths();
        yield return Line(headings, widths);
        foreach (var row in _rows) yield return Line(row.Select(PlainText), widths);
    }

    private static string Line(IEnumerable<string> texts, int[] widths)
    {
        var line = new StringBuilder();
        foreach (var (column, text) in texts.Index()) line.Append(text.PadRight(widths[column] + Gap));
        return line.ToString().TrimEnd();
    }

    private static string PlainText(Cell cell) => cell.Text.Length == 0 ? "-" : cell.Text;
}
