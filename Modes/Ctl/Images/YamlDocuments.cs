using System.Buffers;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>
/// The documents of a YAML or JSON text, as JSON whose scalars are all strings: who reads it asks for names and images, and YAML's ideas of
/// numbers and truth must not get between. Aliases and merge keys ("&lt;&lt;") are followed. Pure, and bounded whatever is in the text.
/// </summary>
public static class YamlDocuments
{
    private const int MaxDepth = 100;

    /// <summary>Scalars, maps and lists, those included that aliases repeat.</summary>
    private const int MaxNodes = 2_000_000;

    private const string MergeKey = "<<";

    /// <param name="where">For sentences: the file.</param>
    /// <exception cref="CommandException">The text is neither YAML nor JSON.</exception>
    public static List<JsonElement> Read(string where, string text)
    {
        if (text.AsSpan().TrimStart() is ['{' or '[', ..] && Json(text) is { } json) return [json];
        try
        {
            CheckDepth(where, text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            var left = MaxNodes;
            return [.. stream.Documents.Select(document => Json(where, document.RootNode, ref left))];
        }
        catch (YamlException malformed)
        {
            throw Wrong(where, text, malformed.Start.Line, malformed.Start.Column, malformed.InnerException?.Message ?? malformed.Message);
        }
        catch (Exception malformed) when (malformed is InvalidOperationException or ArgumentException)
        {
            // What the scanner of the library throws when it loses its way, say in a list that is never closed.
            throw CommandException.Usage($"{where} is neither YAML nor JSON{TemplateHint(text)}");
        }
    }

    private static JsonElement? Json(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null; // YAML begins so too
        }
    }

    /// <summary>The tree is built by recursion: a text that nests without end must not get that far.</summary>
    private static void CheckDepth(string where, string text)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth + 2) throw Wrong(where, text, parser.Current.Start.Line, parser.Current.Start.Column, $"it nests deeper than {MaxDepth}");
        }
    }

    private static JsonElement Json(string where, YamlNode root, ref int left)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new() { SkipValidation = true })) Write(where, writer, root, 0, ref left);
        using var document = JsonDocument.Parse(buffer.WrittenMemory, new JsonDocumentOptions { MaxDepth = MaxDepth + 2 });
        return document.RootElement.Clone();
    }

    private static void Write(string where, Utf8JsonWriter writer, YamlNode node, int depth, ref int left)
    {
        // An alias may name what it stands in, or be repeated until nothing can hold it.
        if (--left < 0 || depth > MaxDepth) throw CommandException.Usage($"{where}: its aliases make it larger than what anybody could mean");
        switch (node)
        {
            case YamlMappingNode map:
                writer.WriteStartObject();
                foreach (var (key, value) in Fields(map, depth))
                {
                    writer.WritePropertyName(key);
                    Write(where, writer, value, depth + 1, ref left);
                }
                writer.WriteEndObject();
                break;
            case YamlSequenceNode list:
                writer.WriteStartArray();
                foreach (var item in list) Write(where, writer, item, depth + 1, ref left);
                writer.WriteEndArray();
                break;
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" }:
                writer.WriteNullValue();
                break;
            default:
                writer.WriteStringValue((node as YamlScalarNode)?.Value ?? "");
                break;
        }
    }

    /// <summary>Its own fields, and of merged maps those that it has not.</summary>
    private static Dictionary<string, YamlNode> Fields(YamlMappingNode map, int depth)
    {
        var fields = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        if (depth > MaxDepth) return fields;
        foreach (var (key, value) in map.Children)
            if (key is YamlScalarNode { Value: { } name } && name != MergeKey) fields[name] = value;
        if (!map.Children.TryGetValue(MergeKey, out var merged)) return fields;
        foreach (var other in merged is YamlSequenceNode list ? list.Children : [merged])
        {
            if (other is not YamlMappingNode otherMap) continue;
            foreach (var (name, value) in Fields(otherMap, depth + 1)) fields.TryAdd(name, value);
        }
        return fields;
    }

    private static CommandException Wrong(string where, string text, long line, long column, string why)
    {
        // The library begins its sentences with the place, which is said already.
        var sentence = why.StartsWith('(') && why.IndexOf("): ", StringComparison.Ordinal) is > 0 and var end ? why[(end + 3)..] : why;
        return CommandException.Usage($"{where}, line {line}, column {column}: neither YAML nor JSON: {char.ToLowerInvariant(sentence[0])}{sentence[1..].TrimEnd('.')}{TemplateHint(text)}");
    }

    /// <summary>For a sentence about a text that is not understood; empty unless it looks like a template.</summary>
    public static string TemplateHint(string text) => text.Contains("{{", StringComparison.Ordinal)
        ? "; a Helm template must be rendered first: helm template … | kruise-image ctl pull -f -"
        : "";
}
