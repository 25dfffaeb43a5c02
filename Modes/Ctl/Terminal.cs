using System.CommandLine;
using KruiseImage.Crds;
using Spectre.Console;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Where the output goes and what it can do there. On a screen: colours and columns that fit. In a file or pipe: plain text that
/// grep and awk can read, nothing cut. Every verb writes through it.
/// </summary>
/// <param name="IsScreen">Somebody looks at it now, and lines can be written over.</param>
/// <param name="Width">Columns of the screen; without meaning for a file.</param>
public sealed record Terminal(TextWriter Output, TextWriter Error, bool IsScreen, bool HasColor, int Width)
{
    private const int UsualWidth = 80;
    private const int Indent = 2;
    private const int ColumnGap = 2;

    public static Option<bool> NoColorOption { get; } = new("--no-color")
    {
        Description = "No colours (also with NO_COLOR set, or when the output is not a terminal).",
        Recursive = true,
    };

    /// <summary>What is piped in.</summary>
    public static TextReader Input => Console.In;

    public static Terminal Of(ParseResult parsed)
    {
        var configuration = parsed.InvocationConfiguration;
        var isScreen = ReferenceEquals(configuration.Output, Console.Out) && !Console.IsOutputRedirected
            && Environment.GetEnvironmentVariable("TERM") is not "dumb";
        var hasColor = isScreen && !parsed.GetValue(NoColorOption) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        return new Terminal(configuration.Output, configuration.Error, isScreen, hasColor, isScreen ? WidthOfScreen() : UsualWidth);
    }

    /// <summary>A pseudo-terminal may not know its size and say 0.</summary>
    private static int WidthOfScreen() => Console.WindowWidth is > 0 and var columns ? columns : UsualWidth;

    /// <summary>A console of the library on the same output. Each call makes one: the width may have changed.</summary>
    public IAnsiConsole Open()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = IsScreen ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = HasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = IsScreen ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(Output),
        });
        console.Profile.Width = Width;
        return console;
    }

    /// <summary>
    /// For a picture that moves in place: the window may have been resized since the last one. A terminal breaks the lines of that one
    /// anew when it becomes narrower, and then nobody knows where it began: so the screen is begun anew.
    /// </summary>
    public static void FollowSize(IAnsiConsole console)
    {
        if (Console.WindowHeight is > 0 and var rows) console.Profile.Height = rows;
        if (Console.WindowWidth is not (> 0 and var columns) || columns == console.Profile.Width) return;
        var isNarrower = columns < console.Profile.Width;
        console.Profile.Width = columns;
        if (isNarrower) console.Clear(home: true);
    }

    public static Style StyleOf(Tone tone) => tone switch
    {
        Tone.Good => new Style(Color.Green),
        Tone.Busy => new Style(Color.Blue),
        Tone.Bad => new Style(Color.Red),
        Tone.Faint => new Style(Color.Grey),
        _ => Style.Plain,
    };

    /// <summary>One line, in which nothing steers the terminal, whoever wrote it.</summary>
    public void Say(string sentence) => Output.WriteLine(Harmless.Line(sentence));

    /// <summary>A document of several lines.</summary>
    public void Print(string document) => Output.WriteLine(Harmless.Lines(document));

    /// <summary>For what is not the answer itself: hints, "nothing found". It stays out of pipes.</summary>
    public void Note(string sentence) => Error.WriteLine(Harmless.Line(sentence));

    public void Write(TableView table) => Write(table, 0);

    private void Write(TableView table, int indent)
    {
        if (IsScreen && table.FitTo(Width - indent, ColumnGap) is { } fitting)
            Open().Write(new Padder(ScreenTable(fitting), new Padding(indent, 0, 0, 0)));
        else foreach (var line in table.PlainLines()) Output.WriteLine($"{new string(' ', indent)}{line}");
    }

    public void Write(Description description)
    {
        var nameWidth = description.Fields.Max(field => field.Name.Length) + 1 + Indent;
        foreach (var (name, value) in description.Fields) WriteField($"{name}:".PadRight(nameWidth), value);
        foreach (var section in description.Sections)
        {
            Output.WriteLine();
            Output.WriteLine($"{section.Heading}:");
            if (section.Table is null) Output.WriteLine($"  {Harmless.Line(section.Sentence ?? "")}");
            else Write(section.Table, Indent);
        }
    }

    private void WriteField(string name, Cell value)
    {
        if (!IsScreen)
        {
            Output.WriteLine($"{name}{value.Text}".TrimEnd());
            return;
        }
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(0).Width(name.Length)).AddColumn(new GridColumn().PadRight(0));
        Open().Write(grid.AddRow(new Text(name), new Text(value.Text, StyleOf(value.Tone))));
    }

    private Table ScreenTable(TableView view)
    {
        var table = new Table().NoBorder();
        var bold = HasColor ? new Style(decoration: Decoration.Bold) : Style.Plain;
        foreach (var heading in view.Headings)
        {
            // Short columns keep their width; the last, which holds the messages, wraps.
            var column = new TableColumn(new Text(heading, bold)) { Padding = new Padding(0, 0, heading == view.Headings[^1] ? 0 : ColumnGap, 0) };
            if (heading != view.Headings[^1]) column.NoWrap();
            table.AddColumn(column);
        }
        foreach (var row in view.Rows) table.AddRow(row.Select(cell => new Text(cell.Text, StyleOf(cell.Tone))));
        return table;
    }
}
