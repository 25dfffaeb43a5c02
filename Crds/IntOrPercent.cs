using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>
/// A count, or a share of the desired nodes such as "25%". Reads whatever a cluster may hold: what is neither is kept as text,
/// so that validation can quote it.
/// </summary>
[JsonConverter(typeof(IntOrPercentConverter))]
public readonly record struct IntOrPercent(int Count, string? Text)
{
    public static implicit operator IntOrPercent(int count) => new(count, null);

    /// <summary>Null when the value is malformed. A share is rounded up, so that it never pauses a job by itself.</summary>
    public int? Of(int total)
    {
        if (Text is null) return Count < 0 ? null : Count;
        if (int.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return count;
        if (!Text.EndsWith('%') || !int.TryParse(Text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent)) return null;
        return percent is < 1 or > 100 ? null : (int)(((long)total * percent + 99) / 100);
    }

    public override string ToString() => Text ?? Count.ToString(CultureInfo.InvariantCulture);
}

public sealed class IntOrPercentConverter : JsonConverter<IntOrPercent>
{
    public override IntOrPercent Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetInt32(out var count) => count,
        JsonTokenType.Number => new IntOrPercent(0, reader.GetDouble().ToString(CultureInfo.InvariantCulture)),
        JsonTokenType.String => new IntOrPercent(0, reader.GetString()),
        _ => throw new JsonException("a number or a string was expected"),
    };

    public override void Write(Utf8JsonWriter writer, IntOrPercent value, JsonSerializerOptions options)
    {
        if (value.Text is { } text) writer.WriteStringValue(text);
        else writer.WriteNumberValue(value.Count);
    }
}
