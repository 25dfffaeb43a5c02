using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>metav1.Time: whole seconds, UTC, "Z".</summary>
public sealed class TimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
}

/// <summary>
/// A time that a person may have written. The format "date-time" of a schema lets more pass than we can represent (small letters,
/// the year 0, an offset of 20 hours): such a time counts as not given. One that threw would hide all objects of its kind.
/// </summary>
public sealed class OptionalTimeConverter : JsonConverter<DateTimeOffset?>
{
    /// <summary>Room on both sides, so that no deadline or TTL leaves the calendar.</summary>
    private const int FirstYear = 1970, LastYear = 8999;

    private readonly TimeConverter _whole = new();

    public override DateTimeOffset? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String) throw new JsonException("a time was expected");
        if (!reader.TryGetDateTimeOffset(out var time) &&
            !DateTimeOffset.TryParse(reader.GetString()!.ToUpperInvariant(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time)) return null;
        return time.UtcDateTime.Year is >= FirstYear and <= LastYear ? time : null;
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset? value, JsonSerializerOptions options)
    {
        if (value is { } time) _whole.Write(writer, time, options);
        else writer.WriteNullValue();
    }
}

/// <summary>
/// Whole numbers as a cluster may hold them: the formats int32 and int64 of a schema are hints that no server enforces. What is too
/// large or too small is read as the largest or smallest.
/// </summary>
public sealed class Int32Converter : JsonConverter<int>
{
    public override int Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadSaturated(ref reader);

    public override void Write(Utf8JsonWriter writer, int value, JsonSerializerOptions options) => writer.WriteNumberValue(value);

    internal static int ReadSaturated(ref Utf8JsonReader reader) => (int)Math.Clamp(Int64Converter.ReadSaturated(ref reader), int.MinValue, int.MaxValue);
}

/// <inheritdoc cref="Int32Converter"/>
public sealed class Int64Converter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadSaturated(ref reader);

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteNumberValue(value);

    internal static long ReadSaturated(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number => reader.TryGetInt64(out var value) ? value : (long)reader.GetDouble(), // the conversion saturates
        JsonTokenType.Null => 0,
        _ => throw new JsonException("a number was expected"),
    };
}

/// <summary>metav1.MicroTime, which leases use; the API server refuses other forms.</summary>
public sealed class MicroTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
}

/// <summary>
/// Strings that repeat over thousands of objects (label keys, tags, phases) are kept once. The table is direct-mapped and
/// bounded: a collision replaces, it never grows. Threads may race; the worst is a second copy.
/// </summary>
public static class Interned
{
    private static readonly string?[] Table = new string?[1 << 14];

    public static string? Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)) throw new JsonException("a text was expected");
        if (reader.HasValueSequence || reader.ValueIsEscaped || reader.ValueSpan.Length > 128) return reader.GetString();
        return Get(reader.ValueSpan);
    }

    private static string Get(ReadOnlySpan<byte> utf8)
    {
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref var slot = ref Table[hash.ToHashCode() & (Table.Length - 1)];
        var known = slot;
        if (known is not null && known.Length == utf8.Length && Ascii.Equals(utf8, known)) return known;
        return slot = Encoding.UTF8.GetString(utf8);
    }
}

public sealed class InternedStringConverter : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Interned.Read(ref reader);

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

/// <summary>Labels: keys and values interned.</summary>
public sealed class LabelsConverter : JsonConverter<Dictionary<string, string>>
{
    public override Dictionary<string, string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("a map of strings was expected");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = Interned.Read(ref reader)!;
            reader.Read();
            labels[key] = Interned.Read(ref reader) ?? "";
        }
        return labels;
    }

    public override void Write(Utf8JsonWriter writer, Dictionary<string, string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (key, label) in value) writer.WriteString(key, label);
        writer.WriteEndObject();
    }
}

/// <summary>Of an object's annotations, which may be large and are not ours, those of a <see cref="SecretCopy"/>.</summary>
public sealed class CopyAnnotationsConverter : JsonConverter<Dictionary<string, string>>
{
    public override Dictionary<string, string>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("a map of strings was expected");
        Dictionary<string, string>? kept = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.ValueTextEquals(SecretCopy.SourceKeyAnnotation) ? SecretCopy.SourceKeyAnnotation
                : reader.ValueTextEquals(SecretCopy.ReferencesAnnotation) ? SecretCopy.ReferencesAnnotation : null;
            reader.Read();
            if (key is null) reader.TrySkip(); // Skip refuses to where an answer is read block by block; all of our value is there
            else (kept ??= new(StringComparer.Ordinal))[key] = reader.GetString() ?? "";
        }

        return kept;
    }

    public override void Write(Utf8JsonWriter writer, Dictionary<string, string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (key, annotation) in value) writer.WriteString(key, annotation);
        writer.WriteEndObject();
    }
}
