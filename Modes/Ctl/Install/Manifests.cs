using System.Buffers;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>One object of the manifests: who it is, and its YAML as it stands in the file, comments included.</summary>
/// <param name="Version">Of the product, on the objects for which going back matters.</param>
public sealed record Manifest(string ApiVersion, string Kind, string? Namespace, string Name, string? Version, string Yaml)
{
    /// <summary>"customresourcedefinition/nodeimages.apps.kruise.io", as kubectl names things.</summary>
    public override string ToString() => $"{Kind.ToLowerInvariant()}/{Name}";
}

/// <summary>
/// The manifests that the executable carries, in the order in which a cluster takes them: namespaces before what lives in them,
/// CRDs before the controller that watches them. Called by "ctl install". It must never change an object beyond what a setting or our
/// version says: what it prints is what a person would apply with kubectl.
/// </summary>
public static class Manifests
{
    private const string RulesKey = "x-kubernetes-validations:";
    private const string VersionKey = "    app.kubernetes.io/version: ";

    private static readonly SearchValues<char> PlainLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@");

    private static readonly string[] YamlWords = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

    private static readonly string[] Order = ["crds/", "namespaces/", "rbac/", "policies/", "controller/", "daemon/", "monitors/"];

    /// <summary>Where the CRDs are among <see cref="Files"/>.</summary>
    private const string Crds = "crds/";

    /// <summary>Names below manifests/, in install order. What install does not know is not installed.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. from name in typeof(Manifests).Assembly.GetManifestResourceNames()
           where name.StartsWith("manifests/", StringComparison.Ordinal)
           let file = name["manifests/".Length..]
           let place = Array.FindIndex(Order, prefix => file.StartsWith(prefix, StringComparison.Ordinal))
           where place >= 0
           orderby place, file
           select file,
    ];

    public static IEnumerable<Manifest> Read(InstallValues values, bool crdsOnly = false) =>
        crdsOnly ? Read(values, file => file.StartsWith(Crds, StringComparison.Ordinal)) : Read(values, file => IsWanted(file, values));

    /// <summary>Those of one folder, with the settings' defaults.</summary>
    public static IEnumerable<Manifest> In(string folder) => Read(InstallValues.Defaults, file => file.StartsWith(folder, StringComparison.Ordinal));

    private static IEnumerable<Manifest> Read(InstallValues values, Func<string, bool> isWanted) =>
        from file in Files
        where isWanted(file)
        from document in Documents(Render(file, Text(file), values))
        select Parse(document);

    /// <summary>As the file stands among <see cref="Files"/>.</summary>
    public static string Text(string file)
    {
        using var reader = new StreamReader(typeof(Manifests).Assembly.GetManifestResourceStream("manifests/" + file)!);
        return reader.ReadToEnd();
    }

    private static bool IsWanted(string file, InstallValues values) =>
        Settings.All.All(setting => setting.Folder is not { } folder || !file.StartsWith(folder, StringComparison.Ordinal) || values[setting] == "true");

    private static string Render(string file, string text, InstallValues values)
    {
        var changes = from setting in Settings.All where values.Given.ContainsKey(setting.Name) from edit in setting.Edits where edit.File == file select (setting, edit);
        foreach (var (setting, edit) in changes) text = Apply(text, edit, setting.Type, values[setting]);
        // A build may have another version than the files: what it installs is of that.
        return string.Join('\n', text.Split('\n').Select(line => line.StartsWith(VersionKey, StringComparison.Ordinal) ? VersionKey + ProductVersion.Number : line));
    }

    private static string Apply(string text, Edit edit, SettingType type, string value)
    {
        if (edit.Kind == EditKind.Value) return ManifestText.Replace(text, edit.Path, _ => type.Shape == SettingShape.Count ? value : Scalar(Put(edit.Text, value)));
        var cut = edit.Text.LastIndexOf('\n') + 1;
        var lines = type.Shape switch
        {
            SettingShape.List => edit.Text[..cut] + string.Join('\n', type.Items(value).Select(item => Put(edit.Text[cut..], Scalar(item)))),
            SettingShape.Map => string.Join('\n', from item in type.Items(value)
                                                  let pair = item.Split('=')
                                                  select Put(edit.Text, Scalar(pair[1])).Replace(Edit.KeyWord, Scalar(pair[0]), StringComparison.Ordinal)),
            _ => Put(edit.Text, value),
        };
        return ManifestText.Append(text, edit.Path, lines);
    }

    private static string Put(string text, string value) => text.Contains(Edit.DirectoryWord, StringComparison.Ordinal)
        ? text.Replace(Edit.DirectoryWord, Path.GetDirectoryName(value), StringComparison.Ordinal)
        : text.Replace(Edit.ValueWord, value, StringComparison.Ordinal);

    /// <summary>In quotes where YAML might take it for something else than text.</summary>
    private static string Scalar(string value)
    {
        var isPlain = value.Length > 0 && (char.IsAsciiLetter(value[0]) || value[0] == '/') && value[^1] != ':' && !value.AsSpan().ContainsAnyExcept(PlainLetters);
        return isPlain && !YamlWords.Contains(value, StringComparer.OrdinalIgnoreCase) ? value : $"\"{value}\"";
    }

    /// <summary>
    /// The same object without its CEL rules. Server-side apply on servers before 1.25 refuses fields that they do not know (a
    /// plain create drops them); the controller checks the same rules there. Works on the text, so that all else stays as it is.
    /// </summary>
    public static Manifest WithoutRules(Manifest manifest)
    {
        var kept = new StringBuilder(manifest.Yaml.Length);
        var rulesIndent = -1;
        foreach (var line in manifest.Yaml.AsSpan().EnumerateLines())
        {
            var content = line.TrimStart(' ');
            var indent = line.Length - content.Length;
            // The rules are the items at the key's own column, and whatever stands deeper.
            if (rulesIndent >= 0 && (indent > rulesIndent || (indent == rulesIndent && content.StartsWith("- ")))) continue;
            rulesIndent = content.SequenceEqual(RulesKey) ? indent : -1;
            if (rulesIndent < 0) kept.Append(line).Append('\n');
        }

        return manifest with { Yaml = kept.ToString() };
    }

    private static IEnumerable<string> Documents(string text) =>
        from document in text.Split("\n---\n") select document.TrimEnd('\n') + "\n";

    private static Manifest Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new Parser(new StringReader(yaml)));
        var root = (YamlMappingNode)stream.Documents[0].RootNode;
        var metadata = (YamlMappingNode)root.Children["metadata"];
        var version = metadata.Children.TryGetValue("labels", out var labels) ? Value((YamlMappingNode)labels, LiveObject.VersionLabel) : null;
        return new Manifest(Value(root, "apiVersion")!, Value(root, "kind")!, Value(metadata, "namespace"), Value(metadata, "name")!, version, yaml);
    }

    private static string? Value(YamlMappingNode mapping, string key) =>
        mapping.Children.TryGetValue(key, out var value) ? ((YamlScalarNode)value).Value : null;
}
