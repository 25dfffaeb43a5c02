using System.Runtime.CompilerServices;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Sim.Api;

/// <summary>A CRD of manifests/crds as its file says it, for the simulated API server and for tests that compare it with the C# types. Aliases are resolved.</summary>
public sealed class CrdManifest
{
    private readonly YamlMappingNode _root;

    private CrdManifest(YamlMappingNode root) => _root = root;

    public static CrdManifest ImagePullJob { get; } = Read("imagepulljobs");

    public static CrdManifest ImageListPullJob { get; } = Read("imagelistpulljobs");

    public static CrdManifest NodeImage { get; } = Read("nodeimages");

    public static IReadOnlyList<CrdManifest> All { get; } = [ImagePullJob, ImageListPullJob, NodeImage];

    public string Kind => Text(_root, "spec", "names", "kind")!;

    public string Plural => Text(_root, "spec", "names", "plural")!;

    public bool IsNamespaced => Text(_root, "spec", "scope") == "Namespaced";

    public IEnumerable<YamlMappingNode> Versions => ((YamlSequenceNode)At(_root, "spec", "versions")!).Cast<YamlMappingNode>();

    /// <summary>The schema of the storage version.</summary>
    public YamlMappingNode Schema => (YamlMappingNode)At(Versions.First(), "schema", "openAPIV3Schema")!;

    /// <summary>The schema of "spec.selector.names", "spec.images.*.tags[]": '*' is a map's value, '[]' a list's item.</summary>
    public YamlMappingNode Field(string path)
    {
        var node = Schema;
        foreach (var part in path.Replace("[]", ".[]", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = part switch { "*" => At(node, "additionalProperties"), "[]" => At(node, "items"), _ => At(node, "properties", part) };
            node = next as YamlMappingNode ?? throw new KeyNotFoundException($"{Kind}: the schema has no {path} (at {part})");
        }

        return node;
    }

    /// <summary>Names of an object's fields, sorted.</summary>
    public static IEnumerable<string> Names(YamlMappingNode schema) => Fields(schema).Select(field => field.Name).Order(StringComparer.Ordinal);

    public static IEnumerable<(string Name, YamlMappingNode Schema)> Fields(YamlMappingNode schema) =>
        At(schema, "properties") is YamlMappingNode fields ? fields.Select(field => (Value(field.Key), (YamlMappingNode)field.Value)) : [];

    /// <summary>Every schema below this one and itself, with its path.</summary>
    public static IEnumerable<(string Path, YamlMappingNode Schema)> Walk(YamlMappingNode schema, string path = "")
    {
        yield return (path, schema);
        var below = Fields(schema).Select(field => (path + "." + field.Name, field.Schema)).ToList();
        if (At(schema, "items") is YamlMappingNode items) below.Add((path + "[]", items));
        if (At(schema, "additionalProperties") is YamlMappingNode values) below.Add((path + ".*", values));
        foreach (var (childPath, child) in below)
            foreach (var found in Walk(child, childPath))
                yield return found;
    }

    public static IEnumerable<(string Rule, string Message)> Rules(YamlMappingNode schema) =>
        At(schema, "x-kubernetes-validations") is YamlSequenceNode rules
            ? rules.Select(rule => (Text(rule, "rule")!, Text(rule, "message")!)) : [];

    public static YamlNode? At(YamlNode node, params ReadOnlySpan<string> path)
    {
        foreach (var part in path)
        {
            if (node is not YamlMappingNode mapping || !mapping.Children.TryGetValue(part, out var child)) return null;
            node = child;
        }

        return node;
    }

    public static string? Text(YamlNode node, params ReadOnlySpan<string> path) => At(node, path) is { } found ? Value(found) : null;

    public static string Value(YamlNode node) => ((YamlScalarNode)node).Value!;

    public static string Directory() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../manifests"));

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private static CrdManifest Read(string plural)
    {
        using var text = File.OpenText(Path.Combine(Directory(), "crds", plural + ".yaml"));
        var stream = new YamlStream();
        stream.Load(text);
        return new((YamlMappingNode)stream.Documents.Single().RootNode);
    }
}
