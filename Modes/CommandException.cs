namespace KruiseImage.Modes;

/// <summary>
/// Ends a command with one sentence for the person who typed it. Thrown by options and verbs, caught only in Program.
/// </summary>
public sealed class CommandException : Exception
{
    public CommandException(int exitCode, string sentence)
        : base(sentence) => ExitCode = exitCode;

    public int ExitCode { get; }

    public static CommandException Usage(string sentence) => new(Modes.ExitCode.Usage, sentence);

    public static CommandException Failed(string sentence) => new(Modes.ExitCode.Failed, sentence);

    public static CommandException Unreachable(string sentence) => new(Modes.ExitCode.Unreachable, sentence);
}
