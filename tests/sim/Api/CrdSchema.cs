using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Sim.Api;

/// <summary>
/// A structural schema of manifests/crds at work: prunes what it does not know, fills in defaults, and says what breaks its rules. CEL
/// rules are left out: the oldest server that we support does not know them.
/// </summary>
internal sealed class CrdSchema
{
    private const int MostComplaints = 4;

    private readonly Dictionary<string, CrdSchema> _properties;
    private readonly KeyValuePair<string, CrdSchema>[] _defaulted;
    private readonly CrdSchema? _items, _values;
    private readonly string[] _required, _allowed, _mapKeys;
    private readonly string? _type, _format, _listType;
    private readonly bool _isIntOrString, _keepsUnknown, _isNullable;
    private readonly JsonNode? _default;
    private readonly double? _minimum, _maximum;
    private readonly int? _minLength, _maxLength, _minItems, _maxItems, _maxProperties;
    private readonly Regex? _pattern;

    public CrdSchema(YamlMappingNode schema)
    {
        _properties = CrdManifest.Fields(schema).ToDictionary(field => field.Name, field => new CrdSchema(field.Schema), StringComparer.Ordinal);
        _items = Child(schema, "items");
        _values = Child(schema, "additionalProperties");
        (_required, _allowed, _mapKeys) = (Texts(schema, "required"), Texts(schema, "enum"), Texts(schema, "x-kubernetes-list-map-keys"));
        (_type, _format, _listType) = (CrdManifest.Text(schema, "type"), CrdManifest.Text(schema, "format"), CrdManifest.Text(schema, "x-kubernetes-list-type"));
        _isIntOrString = CrdManifest.Text(schema, "x-kubernetes-int-or-string") == "true";
        _keepsUnknown = CrdManifest.Text(schema, "x-kubernetes-preserve-unknown-fields") == "true";
        _isNullable = CrdManifest.Text(schema, "nullable") == "true";
        _default = CrdManifest.At(schema, "default") is { } value ? ToJson(value) : null;
        (_minimum, _maximum) = (Number(schema, "minimum"), Number(schema, "maximum"));
        (_minLength, _maxLength) = ((int?)Number(schema, "minLength"), (int?)Number(schema, "maxLength"));
        (_minItems, _maxItems, _maxProperties) = ((int?)Number(schema, "minItems"), (int?)Number(schema, "maxItems"), (int?)Number(schema, "maxProperties"));
        _pattern = CrdManifest.Text(schema, "pattern") is { } pattern ? new Regex(pattern, RegexOptions.CultureInvariant) : null;
        _defaulted = [.. _properties.Where(property => property.Value._default is not null)];
    }

    /// <summary>The schema of a field of the object, such as "status".</summary>
    public CrdSchema? this[string field] => _properties.GetValueOrDefault(field);

    /// <summary>
    /// Prunes and defaults what a request brings, in place. A null where the schema allows none is as good as absent: it takes the
    /// default, or goes.
    /// </summary>
    public void Shape(JsonNode? value)
    {
        if (value is JsonObject map) ShapeObject(map);
        else if (value is JsonArray list && _items is not null)
            foreach (var item in list) _items.Shape(item);
    }

    /// <summary>What is wrong, as "spec.image: Required value"; the first few.</summary>
    public List<string> Complaints(JsonNode? value, string path)
    {
        var complaints = new List<string>();
        Check(value, path, complaints);
        return complaints;
    }

    private void ShapeObject(JsonObject map)
    {
        List<string>? gone = null;
        foreach (var (name, child) in map)
        {
            var known = _properties.TryGetValue(name, out var schema) || (schema = _values) is not null;
            if (!known && !_keepsUnknown) (gone ??= []).Add(name);
            else if (child is null && schema is { _isNullable: false }) (gone ??= []).Add(name);
            else schema?.Shape(child);
        }

        foreach (var name in gone ?? []) map.Remove(name);
        foreach (var (name, schema) in _defaulted)
        {
            if (map.ContainsKey(name)) continue;
            var value = schema._default!.DeepClone();
            schema.Shape(value);
            map[name] = value;
        }
    }

    private void Check(JsonNode? value, string path, List<string> complaints)
    {
        if (complaints.Count >= MostComplaints || (value is null && _isNullable)) return;
        switch (value)
        {
            case JsonObject map when _type is null or "object":
                CheckObject(map, path, complaints);
                break;
            case JsonArray list when _type is null or "array":
                CheckArray(list, path, complaints);
                break;
            case JsonValue scalar when IsOfType(scalar):
                CheckScalar(scalar, path, complaints);
                break;
            default:
                if (_type is not null || _isIntOrString) complaints.Add($"{path}: Invalid value: {Kind(value)}: {path} in body must be of type {_type ?? "integer or string"}: {Kind(value)}");
                break;
        }
    }

    private void CheckObject(JsonObject map, string path, List<string> complaints)
    {
        foreach (var name in _required)
            if (!map.ContainsKey(name)) complaints.Add($"{Join(path, name)}: Required value");
        if (map.Count > _maxProperties) complaints.Add($"{path}: Too many: {map.Count}: must have at most {_maxProperties} items");
        foreach (var (name, child) in map)
            if (_properties.TryGetValue(name, out var schema) || (schema = _values) is not null) schema.Check(child, Join(path, name), complaints);
    }

    private void CheckArray(JsonArray list, string path, List<string> complaints)
    {
        if (list.Count > _maxItems) complaints.Add($"{path}: Too many: {list.Count}: must have at most {_maxItems} items");
        if (list.Count < _minItems) complaints.Add($"{path}: Invalid value: {list.Count}: {path} in body should have at least {_minItems} items");
        for (var i = 0; i < list.Count; i++) _items?.Check(list[i], $"{path}[{i}]", complaints);
        if (_listType is not ("set" or "map")) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var identity = _listType == "set" ? list[i]?.ToJsonString() : string.Join('\n', _mapKeys.Select(key => (list[i] as JsonObject)?[key]?.ToJsonString()));
            if (!seen.Add(identity ?? "")) complaints.Add($"{path}[{i}]: Duplicate value: {list[i]?.ToJsonString()}");
        }
    }

    private void CheckScalar(JsonValue scalar, string path, List<string> complaints)
    {
        if (scalar.TryGetValue<string>(out var text))
        {
            var length = new StringInfo(text).LengthInTextElements;
            if (length > _maxLength) complaints.Add($"{path}: Too long: may not be longer than {_maxLength}");
            if (length < _minLength) complaints.Add($"{path}: Invalid value: \"{text}\": {path} in body should be at least {_minLength} chars long");
            if (_allowed.Length > 0 && !_allowed.Contains(text, StringComparer.Ordinal))
                complaints.Add($"{path}: Unsupported value: \"{text}\": supported values: {string.Join(", ", _allowed.Select(allowed => $"\"{allowed}\""))}");
            if (_pattern?.IsMatch(text) == false) complaints.Add($"{path}: Invalid value: \"{text}\": {path} in body should match '{_pattern}'");
            if (_format == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _))
                complaints.Add($"{path}: Invalid value: \"{text}\": {path} in body must be of type date-time: \"{text}\"");
        }
        else if (scalar.TryGetValue<double>(out var number) || scalar.GetValueKind() == System.Text.Json.JsonValueKind.Number && (number = AsDouble(scalar)) is not double.NaN)
        {
            if (number < _minimum) complaints.Add($"{path}: Invalid value: {scalar.ToJsonString()}: {path} in body should be greater than or equal to {_minimum}");
            if (number > _maximum) complaints.Add($"{path}: Invalid value: {scalar.ToJsonString()}: {path} in body should be less than or equal to {_maximum}");
        }
    }

    private bool IsOfType(JsonValue scalar)
    {
        var kind = scalar.GetValueKind();
        var isInteger = kind == System.Text.Json.JsonValueKind.Number && double.IsInteger(AsDouble(scalar));
        if (_isIntOrString) return isInteger || kind == System.Text.Json.JsonValueKind.String;
        return _type switch
        {
            null => true,
            "string" => kind == System.Text.Json.JsonValueKind.String,
            "integer" => isInteger,
            "number" => kind == System.Text.Json.JsonValueKind.Number,
            "boolean" => kind is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False,
            _ => false,
        };
    }

    private static double AsDouble(JsonValue number) => double.Parse(number.ToJsonString(), CultureInfo.InvariantCulture);

    private static string Kind(JsonNode? value) => value is null ? "null" : value.GetValueKind().ToString().ToLowerInvariant();

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static CrdSchema? Child(YamlMappingNode schema, string name) => CrdManifest.At(schema, name) is YamlMappingNode child ? new CrdSchema(child) : null;

    private static string[] Texts(YamlMappingNode schema, string name) =>
        CrdManifest.At(schema, name) is YamlSequenceNode list ? [.. list.Select(CrdManifest.Value)] : [];

    private static double? Number(YamlMappingNode schema, string name) =>
        CrdManifest.Text(schema, name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;

    private static JsonNode ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Select(pair => KeyValuePair.Create<string, JsonNode?>(CrdManifest.Value(pair.Key), ToJson(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: { } text } when long.TryParse(text, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } flag => JsonValue.Create(flag.Value == "true"),
        _ => JsonValue.Create(CrdManifest.Value(node)),
    };
}
