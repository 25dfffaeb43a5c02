using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace KruiseImage.Modes;

/// <summary>A command whose help goes on after the list of options: examples, exit codes, whatever a newcomer asks next.</summary>
internal sealed class DocumentedCommand(string name, string summary) : Command(name, summary)
{
    /// <summary>Lines as a shell takes them; a line that starts with "#" explains the next.</summary>
    public string? Examples { get; init; }

    /// <summary>One per line: code, two spaces, meaning.</summary>
    public string? ExitCodes { get; init; }

    /// <summary>Paragraphs under a heading of their own.</summary>
    public string? Notes { get; init; }
}

/// <summary>System.CommandLine's own help, then the sections of a <see cref="DocumentedCommand"/>.</summary>
internal sealed class DocumentedHelp(HelpAction inner) : SynchronousCommandLineAction
{
    /// <summary>Columns that the list of options may take; those of the terminal, or without end in a pipe.</summary>
    public int MaxWidth
    {
        get => inner.MaxWidth;
        set => inner.MaxWidth = value;
    }

    public override int Invoke(ParseResult parseResult)
    {
        inner.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not DocumentedCommand command) return ExitCode.Done;

        var output = parseResult.InvocationConfiguration.Output;
        WriteSection(output, "Notes", command.Notes);
        WriteSection(output, "Examples", command.Examples);
        WriteSection(output, "Exit codes", command.ExitCodes);
        return ExitCode.Done;
    }

    private static void WriteSection(TextWriter output, string heading, string? text)
    {
        if (text is null) return;
        output.WriteLine($"{heading}:");
        foreach (var line in text.Split('\n')) output.WriteLine(line.Length == 0 ? line : $"  {line}");
        output.WriteLine();
    }
}
