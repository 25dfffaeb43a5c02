using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// An object of a YAML or JSON file (a kubeconfig, a CredentialProviderConfig), and where it stands for a sentence about it. Reads the
/// tree of nodes: no reflection, no models. Values are never quoted: a token or a variable for a plugin is a secret.
/// </summary>
/// <param name="Where">"/etc/providers.yaml: provider \"ecr\"".</param>
/// <param name="Refusal">The exception that takes such a sentence to whoever reads this kind of file.</param>
internal sealed record ConfigNode(string Where, YamlMappingNode Fields, Func<string, Exception> Refusal)
{
    /// <param name="content">What should be in it, for the sentence when it is something else: "one CredentialProviderConfig".</param>
    public static ConfigNode Parse(string text, string file, string content, Func<string, Exception> refusal)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException malformed)
        {
            throw refusal($"{file} is neither YAML nor JSON: correct it at line {malformed.Start.Line}");
        }
        catch (Exception malformed) when (malformed is InvalidOperationException or ArgumentException)
        {
            // What the scanner of the library throws when it loses its way, say in a list that is never closed.
            throw refusal($"{file} is neither YAML nor JSON: correct it");
        }
        if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root) return new ConfigNode(file, root, refusal);
        throw refusal($"{file} is not one object: write {content} into it");
    }

    public Exception Wrong(string sentence) => Refusal($"{Where} {sentence}");

    /// <summary>The kubelet refuses what it does not know, too: a new field may change whose credentials are given to whom.</summary>
    public void KnowsOnly(params ReadOnlySpan<string> names)
    {
        foreach (var key in Fields.Children.Keys)
        {
            if (key is not YamlScalarNode { Value: { } name } || !names.Contains(name))
                throw Wrong($"has a field that is not known, \"{key}\": remove it, or correct its name");
        }
    }

    /// <summary>Null when it is absent or null.</summary>
    public string? Text(string name) => Get(name) switch
    {
        null => null,
        YamlScalarNode { Value: { } text } => text,
        _ => throw Wrong($"has a {name} that is not a text: give one value"),
    };

    /// <summary>False when it is absent or null. YAML 1.1's other words for it count, as for kubectl.</summary>
    public bool Flag(string name) => Text(name)?.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "Y" or "ON" => true,
        null or "FALSE" or "NO" or "N" or "OFF" => false,
        _ => throw Wrong($"has a {name} that is neither true nor false: correct it"),
    };

    public IReadOnlyList<string> Texts(string name) =>
    [
        .. Items(name).Select(item =>
            item is YamlScalarNode { Value: { } text } ? text : throw Wrong($"has {name} with an item that is not a text: quote each item")),
    ];

    /// <summary>Objects of a list.</summary>
    /// <param name="called">What one of them is called in a sentence, after this one: "provider" becomes "provider 2".</param>
    public IEnumerable<ConfigNode> Objects(string name, string called) =>
        Items(name).Select((item, index) => item is YamlMappingNode fields
            ? new ConfigNode($"{Where}: {called} {index + 1}", fields, Refusal)
            : throw Wrong($"has {name} with an item that is not an object: write its fields"));

    public ConfigNode? Object(string name) => Get(name) switch
    {
        null => null,
        YamlMappingNode fields => new ConfigNode($"{Where}: {name}", fields, Refusal),
        _ => throw Wrong($"has a {name} that is not an object: write its fields"),
    };

    private YamlSequenceNode Items(string name) => Get(name) switch
    {
        null => new YamlSequenceNode(),
        YamlSequenceNode list => list,
        _ => throw Wrong($"has {name} that is not a list: write a list"),
    };

    private YamlNode? Get(string name) =>
        Fields.Children.TryGetValue(name, out var value) && value is not YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" or "~" } ? value : null;
}
