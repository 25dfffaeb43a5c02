using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>
/// An object of a YAML or JSON file, and where it stands for a sentence about it. Reads the tree of nodes: no reflection. Values are
/// never quoted: a variable for a plugin may be a secret.
/// </summary>
/// <param name="Where">"/etc/providers.yaml: provider \"ecr\"".</param>
internal sealed record ConfigNode(string Where, YamlMappingNode Fields)
{
    /// <exception cref="CredentialProviderException">The text is not one object.</exception>
    public static ConfigNode Parse(string text, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException malformed)
        {
            throw new CredentialProviderException($"{file} is neither YAML nor JSON: correct it at line {malformed.Start.Line}");
        }
        catch (Exception malformed) when (malformed is InvalidOperationException or ArgumentException)
        {
            // What the scanner of the library throws when it loses its way, say in a list that is never closed.
            throw new CredentialProviderException($"{file} is neither YAML nor JSON: correct it");
        }
        if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root) return new ConfigNode(file, root);
        throw new CredentialProviderException($"{file} is not one object: write one CredentialProviderConfig into it");
    }

    public CredentialProviderException Wrong(string sentence) => new($"{Where} {sentence}");

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

    public IReadOnlyList<string> Texts(string name) =>
    [
        .. Items(name).Select(item =>
            item is YamlScalarNode { Value: { } text } ? text : throw Wrong($"has {name} with an item that is not a text: quote each item")),
    ];

    /// <summary>Objects of a list.</summary>
    /// <param name="called">What one of them is called in a sentence, after this one: "provider" becomes "provider 2".</param>
    public IEnumerable<ConfigNode> Objects(string name, string called) =>
        Items(name).Select((item, index) => item is YamlMappingNode fields
            ? new ConfigNode($"{Where}: {called} {index + 1}", fields)
            : throw Wrong($"has {name} with an item that is not an object: write its fields"));

    public ConfigNode? Object(string name) => Get(name) switch
    {
        null => null,
        YamlMappingNode fields => new ConfigNode($"{Where}: {name}", fields),
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
