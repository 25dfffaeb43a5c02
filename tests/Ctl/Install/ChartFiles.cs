using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Install;

namespace KruiseImage.Tests.Ctl.Install;

/// <summary>
/// The files of the Helm chart that are made from the manifests and the settings: the same edits that "ctl install" makes with values,
/// made with Helm's expressions. `make manifests` writes them; a test compares.
/// </summary>
internal static class ChartFiles
{
    private const string Generated = "# Made by `make manifests` from manifests/ and Modes/Ctl/Install/Settings.cs: change those.\n";

    private static readonly JsonWriterOptions Pretty = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Names below manifests/chart/, with their texts.</summary>
    public static IEnumerable<(string Name, string Text)> All()
    {
        yield return ("Chart.yaml", Chart());
        yield return ("values.yaml", Values());
        yield return ("values.schema.json", Json(Schema()));
        foreach (var file in Manifests.Files) yield return ($"templates/{file.Replace('/', '-')}", Template(file));
    }

    private static string Chart() => Generated + $"""
        apiVersion: v2
        name: kruise-image
        description: Puts container images on the nodes of a cluster before they are needed.
        type: application
        version: {ProductVersion.Number}
        appVersion: {ProductVersion.Number}
        # Older servers lack server-side apply or the CRDs' version.
        kubeVersion: '>=1.20.0-0'

        """;

    private static string Values()
    {
        var text = new StringBuilder(Generated);
        string[] open = [];
        foreach (var setting in Settings.All)
        {
            var path = setting.Name.Split('.');
            var shared = open.Zip(path[..^1]).TakeWhile(pair => pair.First == pair.Second).Count();
            if (path.Length > 1 && shared == 0) text.Append('\n');
            for (var depth = shared; depth < path.Length - 1; depth++) text.Append($"{Indent(depth)}{path[depth]}:\n");
            open = path[..^1];
            text.Append($"{Indent(path.Length - 1)}# {setting.Meaning}\n{Indent(path.Length - 1)}{path[^1]}: {Yaml(setting)}\n");
        }

        return text.ToString();

        static string Indent(int depth) => new(' ', 2 * depth);
    }

    private static string Yaml(Setting setting) => setting.Type.Shape switch
    {
        SettingShape.List => "[]",
        SettingShape.Map => "{}",
        _ => setting.Default.Length == 0 ? "''" : setting.Default,
    };

    private static string Json(JsonObject value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Pretty)) value.WriteTo(writer);
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static JsonObject Schema()
    {
        var root = Map();
        root["$schema"] = "http://json-schema.org/draft-07/schema#";
        // What Helm hands to a chart that is part of another.
        root["properties"]!["global"] = new JsonObject { ["type"] = "object" };
        foreach (var setting in Settings.All)
        {
            var node = root;
            var path = setting.Name.Split('.');
            foreach (var part in path[..^1]) node = Child(node, part, Map);
            Child(node, path[^1], () => Property(setting));
        }

        return root;

        static JsonObject Map() => new() { ["type"] = "object", ["additionalProperties"] = false, ["required"] = new JsonArray(), ["properties"] = new JsonObject() };

        static JsonObject Child(JsonObject node, string name, Func<JsonObject> make)
        {
            if (node["properties"]![name] is JsonObject known) return known;
            var made = make();
            node["properties"]![name] = made;
            node["required"]!.AsArray().Add(JsonValue.Create(name));
            return made;
        }
    }

    private static JsonObject Property(Setting setting)
    {
        var item = JsonNode.Parse($"{{{setting.Type.Schema}}}")!.AsObject();
        var property = setting.Type.Shape switch
        {
            SettingShape.List => new JsonObject { ["type"] = "array", ["items"] = item },
            SettingShape.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = item },
            _ => item,
        };
        property["description"] = setting.Meaning;
        return property;
    }

    private static string Template(string file)
    {
        var text = Manifests.Text(file);
        if (text.Contains("{{", StringComparison.Ordinal)) throw new InvalidOperationException($"{file} has what Helm would take for its own");
        // The last first: what is added behind a block ends up before what was added there already.
        var edits = from setting in Settings.All from edit in setting.Edits where edit.File == file select (edit, setting);
        foreach (var (edit, setting) in edits.Reverse()) text = Apply(text, edit, setting);
        if (file.StartsWith("crds/", StringComparison.Ordinal)) text = ManifestText.Append(text, "metadata.name", "  annotations:\n    # An uninstall must not take the jobs along.\n    helm.sh/resource-policy: keep");
        if (file == "controller/disruption.yaml") text = $"{{{{- if .Capabilities.APIVersions.Has \"policy/v1\" }}}}\n{text}{{{{- end }}}}\n";
        if (Settings.All.FirstOrDefault(setting => setting.Folder is { } folder && file.StartsWith(folder, StringComparison.Ordinal)) is { } flag)
            text = $"{{{{- if .Values.{flag.Name} }}}}\n{text}{{{{- end }}}}\n";
        if (file == "daemon/daemonset.yaml") text = Together() + text;
        return Generated + text;
    }

    private static string Together()
    {
        var sentence = Settings.Complaint(name => name == Settings.ProviderConfig ? "x" : "")!;
        return $"{{{{- if ne (empty .Values.{Settings.ProviderConfig}) (empty .Values.{Settings.ProviderBinaries}) }}}}\n{{{{- fail \"{sentence}\" }}}}\n{{{{- end }}}}\n";
    }

    private static string Apply(string text, Edit edit, Setting setting)
    {
        var value = $".Values.{setting.Name}";
        if (setting.Type.Shape == SettingShape.Count) value = $"int {value}";
        if (edit.Kind == EditKind.Value)
        {
            var put = setting.Type.Shape == SettingShape.Count ? $"{{{{ {value} }}}}" : edit.Text == Edit.DirectoryWord ? $"{{{{ dir {value} | quote }}}}" : $"{{{{ {value} | quote }}}}";
            return ManifestText.Replace(text, edit.Path, there => setting.Default.Length > 0 ? put : $"{{{{ if {value} }}}}{put}{{{{ else }}}}{there}{{{{ end }}}}");
        }

        var cut = edit.Text.LastIndexOf('\n') + 1;
        var lines = setting.Type.Shape switch
        {
            SettingShape.List => $"{{{{- with {value} }}}}\n{edit.Text[..cut]}{{{{- range . }}}}\n{edit.Text[cut..].Replace(Edit.ValueWord, "{{ . | quote }}", StringComparison.Ordinal)}\n{{{{- end }}}}\n{{{{- end }}}}",
            SettingShape.Map => $"{{{{- range $key, $value := {value} }}}}\n"
                + edit.Text.Replace(Edit.KeyWord, "{{ $key | quote }}", StringComparison.Ordinal).Replace(Edit.ValueWord, "{{ $value | quote }}", StringComparison.Ordinal) + "\n{{- end }}",
            _ => $"{{{{- if ne ({value}) {(setting.Type.Shape == SettingShape.Count ? setting.Default : $"\"{setting.Default}\"")} }}}}\n"
                + edit.Text.Replace(Edit.ValueWord, $"{{{{ {value} }}}}", StringComparison.Ordinal) + "\n{{- end }}",
        };
        return ManifestText.Append(text, edit.Path, lines);
    }
}
