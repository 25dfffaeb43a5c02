using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Modes.Ctl;

/// <summary>One object of the manifests: who it is, and its YAML as it stands in the file, comments included.</summary>
public sealed record Manifest(string ApiVersion, string Kind, string? Namespace, string Name, string Yaml)
{
    /// <summary>"customresourcedefinition/nodeimages.apps.kruise.io", as kubectl names things.</summary>
    public override string ToString() => $"{Kind.ToLowerInvariant()}/{Name}";
}

/// <summary>
/// The manifests that the executable carries, in the order in which a cluster takes them: namespaces before what lives in them,
/// CRDs before the controller that watches them. Called by "ctl install". It must never change an object beyond the image's name:
/// what it prints is what a person would apply with kubectl.
/// </summary>
public static class Manifests
{
    /// <summary>Stands for the image in the workloads.</summary>
    private const string ImagePlaceholder = "kruise-image:VERSION";

    private const string RulesKey = "x-kubernetes-validations:";

    private static readonly string[] Order = ["crds/", "namespace.yaml", "rbac/", "policies/", "controller/", "daemon/"];

    /// <summary>Where the CRDs are among <see cref="Files"/>.</summary>
    private const string Crds = "crds/";

    /// <summary>Names below manifests/, in install order. What install does not know (overlays) is not installed.</summary>
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

    public static IEnumerable<Manifest> Read(string image, bool crdsOnly) =>
        from file in Files
        where !crdsOnly || file.StartsWith(Crds, StringComparison.Ordinal)
        from document in Documents(Text(file))
        select Parse(document.Replace(ImagePlaceholder, image, StringComparison.Ordinal));

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

    private static string Text(string file)
    {
        using var reader = new StreamReader(typeof(Manifests).Assembly.GetManifestResourceStream("manifests/" + file)!);
        return reader.ReadToEnd();
    }

    private static IEnumerable<string> Documents(string text) =>
        from document in text.Split("\n---\n") select document.TrimEnd('\n') + "\n";

    private static Manifest Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new Parser(new StringReader(yaml)));
        var root = (YamlMappingNode)stream.Documents[0].RootNode;
        var metadata = (YamlMappingNode)root.Children["metadata"];
        return new Manifest(Value(root, "apiVersion")!, Value(root, "kind")!, Value(metadata, "namespace"), Value(metadata, "name")!, yaml);
    }

    private static string? Value(YamlMappingNode mapping, string key) =>
        mapping.Children.TryGetValue(key, out var value) ? ((YamlScalarNode)value).Value : null;
}
