using System.Text.Json;
using KruiseImage.Modes.Ctl.Install;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>
/// One object that the executable's manifests have, as it should stand in the cluster: who it is, and where an installed one differs.
/// Pure but for the reading of the executable itself.
/// </summary>
public sealed class OurObject
{
    private readonly Manifest _manifest;
    private readonly YamlMappingNode _root;

    private OurObject(Manifest manifest)
    {
        _manifest = manifest;
        var stream = new YamlStream();
        stream.Load(new StringReader(manifest.Yaml));
        _root = (YamlMappingNode)stream.Documents[0].RootNode;
    }

    public string Kind => _manifest.Kind;

    public string Name => _manifest.Name;

    public string? Namespace => _manifest.Namespace;

    /// <summary>"clusterrole/kruise-image-daemon", with its namespace where it has one.</summary>
    public override string ToString() => $"{_manifest}{(Namespace is { } place ? $" in {place}" : "")}";

    /// <param name="folder">"crds/", "rbac/", "policies/".</param>
    public static IReadOnlyList<OurObject> In(string folder) => [.. Manifests.In(folder).Select(manifest => new OurObject(manifest))];

    /// <summary>
    /// The first place where the installed object is not as ours; null when it is. What a server adds (defaults, a status) is no
    /// difference, except within <paramref name="whole"/>: there a field that ours does not have is one.
    /// </summary>
    /// <param name="whole">A key under which everything counts: "schema", "rules".</param>
    /// <param name="ignored">Keys that this server does not keep.</param>
    public string? DifferenceTo(JsonElement installed, string part, string whole, params string[] ignored) =>
        _root.Children.TryGetValue(part, out var ours)
            ? installed.TryGetProperty(part, out var theirs) ? Difference(ours, theirs, part, part == whole, whole, ignored) : part
            : null;

    private static string? Difference(YamlNode ours, JsonElement theirs, string path, bool isWhole, string whole, string[] ignored)
    {
        switch (ours)
        {
            case YamlMappingNode mapping when theirs.ValueKind == JsonValueKind.Object:
                foreach (var (keyNode, value) in mapping.Children)
                {
                    var key = ((YamlScalarNode)keyNode).Value!;
                    if (ignored.Contains(key)) continue;
                    if (!theirs.TryGetProperty(key, out var other)) return $"{path}.{key}";
                    if (Difference(value, other, $"{path}.{key}", isWhole || key == whole, whole, ignored) is { } difference) return difference;
                }
                if (!isWhole) return null;
                foreach (var property in theirs.EnumerateObject())
                {
                    if (!mapping.Children.ContainsKey(property.Name) && !ignored.Contains(property.Name)) return $"{path}.{property.Name}";
                }
                return null;
            case YamlSequenceNode sequence when theirs.ValueKind == JsonValueKind.Array:
                if (sequence.Children.Count != theirs.GetArrayLength()) return path;
                foreach (var (index, item) in sequence.Children.Index())
                {
                    if (Difference(item, theirs[index], $"{path}[{index}]", isWhole, whole, ignored) is { } difference) return difference;
                }
                return null;
            case YamlScalarNode scalar when theirs.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array):
                return scalar.Value == (theirs.ValueKind == JsonValueKind.String ? theirs.GetString() : theirs.GetRawText()) ? null : path;
            default:
                return path;
        }
    }
}

/// <summary>An object of ours, and what the cluster has of that name.</summary>
public sealed record Installed(OurObject Ours, Fact<RawObject> Theirs);
