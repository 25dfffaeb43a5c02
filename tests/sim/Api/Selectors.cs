using System.Text.Json;
using System.Text.RegularExpressions;

namespace KruiseImage.Sim.Api;

/// <summary>The labelSelector and the fieldSelector of a request, together with its namespace.</summary>
internal sealed partial class Selectors
{
    private readonly string? _prefix;
    private readonly (string Key, string Operator, string[] Values)[] _labels;
    private readonly (string[] Path, bool Equal, string Value)[] _fields;

    private Selectors(string? prefix, (string, string, string[])[] labels, (string[], bool, string)[] fields) => (_prefix, _labels, _fields) = (prefix, labels, fields);

    /// <summary>Key of the only object that can match; null when there may be others.</summary>
    public string? OnlyKey { get; private init; }

    public static Refusal? TryParse(SimKind kind, string? @namespace, string? labelSelector, string? fieldSelector, out Selectors selectors)
    {
        selectors = null!;
        var labels = new List<(string, string, string[])>();
        foreach (var term in Split(labelSelector))
        {
            if (Requirement().Match(term) is not { Success: true } match) return Refusal.BadRequest($"unable to parse requirement: {term}");
            labels.Add(ToLabel(match));
        }

        var fields = new List<(string[], bool, string)>();
        string? only = null;
        foreach (var term in (fieldSelector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (FieldTerm().Match(term) is not { Success: true } match) return Refusal.BadRequest($"invalid field selector: {term}");
            var (field, isEqual, value) = (match.Groups["field"].Value, match.Groups["op"].Value != "!=", match.Groups["value"].Value);
            if (field is not ("metadata.name" or "metadata.namespace") && !kind.Fields.Contains(field))
                return Refusal.BadRequest($"field label not supported: {field}");
            fields.Add((field == "source" ? ["source", "component"] : field.Split('.'), isEqual, value));
            if (field == "metadata.name" && isEqual && (!kind.Namespaced || !string.IsNullOrEmpty(@namespace))) only = kind.Namespaced ? $"{@namespace}/{value}" : value;
        }

        var prefix = kind.Namespaced && !string.IsNullOrEmpty(@namespace) ? @namespace + "/" : null;
        selectors = new Selectors(prefix, [.. labels], [.. fields]) { OnlyKey = only };
        return null;
    }

    public bool Matches(StoredObject? stored)
    {
        if (stored is null || !IsInNamespace(stored.Key)) return false;
        if (OnlyKey is not null && OnlyKey != stored.Key) return false;
        foreach (var (path, isEqual, value) in _fields)
            if ((Field(stored.Json, path) == value) != isEqual) return false;
        if (_labels.Length == 0) return true;
        stored.Metadata.TryGetProperty("labels", out var labels);
        foreach (var (key, @operator, values) in _labels)
            if (!Matches(labels, key, @operator, values)) return false;
        return true;
    }

    public bool IsInNamespace(string key) => _prefix is null || key.StartsWith(_prefix, StringComparison.Ordinal);

    private static bool Matches(JsonElement labels, string key, string @operator, string[] values)
    {
        var value = labels.ValueKind == JsonValueKind.Object && labels.TryGetProperty(key, out var found) ? found.GetString() : null;
        return @operator switch
        {
            "in" => value is not null && values.Contains(value),
            "notin" => value is null || !values.Contains(value),
            "exists" => value is not null,
            _ => value is null,
        };
    }

    private static (string, string, string[]) ToLabel(Match match)
    {
        var values = match.Groups["values"].Success ? match.Groups["values"].Value.Split(',', StringSplitOptions.TrimEntries) : [match.Groups["value"].Value];
        var @operator = match.Groups["op"].Value switch { "" => match.Groups["not"].Length > 0 ? "absent" : "exists", "!=" or "notin" => "notin", _ => "in" };
        return (match.Groups["key"].Value, @operator, values);
    }

    /// <summary>At the commas that stand outside of brackets.</summary>
    private static IEnumerable<string> Split(string? selector)
    {
        if (string.IsNullOrEmpty(selector)) yield break;
        int start = 0, depth = 0;
        for (var i = 0; i < selector.Length; i++)
        {
            depth += selector[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (selector[i] != ',' || depth > 0) continue;
            yield return selector[start..i];
            start = i + 1;
        }

        yield return selector[start..];
    }

    /// <summary>A field that is not there is empty.</summary>
    private static string Field(JsonElement json, string[] path)
    {
        foreach (var step in path)
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(step, out json)) return "";
        return json.ValueKind switch { JsonValueKind.String => json.GetString()!, JsonValueKind.Undefined or JsonValueKind.Null => "", _ => json.GetRawText() };
    }

    [GeneratedRegex(@"^\s*(?<not>!?)\s*(?<key>[A-Za-z0-9][A-Za-z0-9_./-]*)\s*(?:(?<op>==?|!=)\s*(?<value>[A-Za-z0-9_.-]*)|(?<op>in|notin)\s*\((?<values>[^()]*)\))?\s*$")]
    private static partial Regex Requirement();

    [GeneratedRegex(@"^(?<field>[^=!]+)(?<op>==?|!=)(?<value>.*)$")]
    private static partial Regex FieldTerm();
}
