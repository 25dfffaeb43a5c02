using System.CommandLine;

namespace KruiseImage.Modes.Ctl;

/// <summary>An option whose value is a duration.</summary>
public static class DurationOption
{
    /// <summary>Null when it was not given.</summary>
    /// <exception cref="CommandException">The text is no duration.</exception>
    public static TimeSpan? Read(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is not { } text ? null
        : DurationText.TryParse(text, out var duration) ? duration
        : throw CommandException.Usage($"{option.Name} \"{text}\" is not a duration such as 90s, 10m or 1h30m");
}
