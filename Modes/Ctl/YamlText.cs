using System.Globalization;
using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// JSON as YAML, for "-o yaml": event by event, so that depth costs no stack. Read again by any YAML parser, of whichever version, it is the
/// same JSON: text that could be taken for anything else is quoted. Pure.
/// </summary>
public static class YamlText
{
    /// <summary>What some version of YAML, or some parser of it, takes for a truth value, a number or nothing.</summary>
    private static readonly string[] Words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];

    /// <summary>Lines are not folded: what a person wants to copy stays in one piece.</summary>
    private static readonly EmitterSettings Settings = new(2, int.MaxValue, false, 1024);

    /// <param name="json">One value, well-formed.</param>
    /// <returns>One document, without a line end at its end.</returns>
    public static string Of(ReadOnlySpan<byte> json)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var emitter = new Emitter(text, Settings);
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, true));
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = CrdJson.MaxDepth });
        while (reader.Read()) emitter.Emit(Event(ref reader));
        emitter.Emit(new DocumentEnd(true));
        emitter.Emit(new StreamEnd());
        return text.ToString().TrimEnd('\n');
    }

    private static ParsingEvent Event(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => new MappingStart(AnchorName.Empty, TagName.Empty, true, MappingStyle.Block),
        JsonTokenType.EndObject => new MappingEnd(),
        JsonTokenType.StartArray => new SequenceStart(AnchorName.Empty, TagName.Empty, true, SequenceStyle.Block),
        JsonTokenType.EndArray => new SequenceEnd(),
        JsonTokenType.PropertyName => String(reader.GetString()!, isKey: true),
        JsonTokenType.String => String(reader.GetString()!, isKey: false),
        _ => new Scalar(AnchorName.Empty, TagName.Empty, Encoding.UTF8.GetString(reader.ValueSpan), ScalarStyle.Plain, true, false),
    };

    private static Scalar String(string value, bool isKey)
    {
        var style = IsUnmistakable(value) ? ScalarStyle.Plain : !isKey && IsBlock(value) ? ScalarStyle.Literal : ScalarStyle.DoubleQuoted;
        return new Scalar(AnchorName.Empty, TagName.Empty, value, style, style == ScalarStyle.Plain, style != ScalarStyle.Plain);
    }

    /// <summary>
    /// Begins like a name, so it is no number, date or sign of YAML, and has only what no parser takes for an end or a beginning: not all
    /// agree on what may follow a colon.
    /// </summary>
    private static bool IsUnmistakable(string value)
    {
        if (value.Length == 0 || !(char.IsLetter(value[0]) || value[0] is '_' or '/') || Words.Contains(value, StringComparer.OrdinalIgnoreCase)) return false;
        if (value.EnumerateRunes().Any(Harmless.IsActive)) return false;
        foreach (var (index, c) in value.Index())
        {
            var next = index + 1 < value.Length ? value[index + 1] : ' ';
            if (!char.IsLetterOrDigit(c) && !" -_./@+,();=%$~".Contains(c, StringComparison.Ordinal) && !(c == ':' && (char.IsLetterOrDigit(next) || next == '/'))) return false;
        }
        return value[^1] != ' ';
    }

    /// <summary>Several lines that a literal block gives back as they are, whatever the parser thinks of spaces at ends.</summary>
    private static bool IsBlock(string value)
    {
        if (!value.Contains('\n', StringComparison.Ordinal) || char.IsWhiteSpace(value[0]) || value.EndsWith("\n\n", StringComparison.Ordinal)) return false;
        return !value.Contains(" \n", StringComparison.Ordinal) && value[^1] != ' ' && !value.EnumerateRunes().Any(rune => rune.Value != '\n' && Harmless.IsActive(rune));
    }
}
