using System.CommandLine;

namespace KruiseImage.Modes.Ctl;

/// <summary>How a verb prints what it found.</summary>
public enum OutputFormat
{
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

/// <summary>"-o", with the formats that a verb has.</summary>
public static class OutputOption
{
    public static Option<OutputFormat> Of(params OutputFormat[] formats)
    {
        var words = formats.Select(Word).ToArray();
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = $"{string.Join(", ", words[..^1])} or {words[^1]} [default: {words[0]}].",
            HelpName = string.Join('|', words),
            CustomParser = argument =>
            {
                var given = argument.Tokens is [var token] ? token.Value : "";
                if (Array.IndexOf(words, given) is >= 0 and var index) return formats[index];
                var hint = Nearest.To(given, words) is { } word ? $"did you mean '{word}'?" : $"choose one of {string.Join(", ", words)}";
                argument.AddError($"unknown output format '{given}': {hint}");
                return default;
            },
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add(words);
        return option;
    }

    private static string Word(OutputFormat format) => format.ToString().ToLowerInvariant();
}
