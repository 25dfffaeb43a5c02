using KruiseImage.Crds;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>
/// The values of all <see cref="Settings"/>, checked. A value is text: a list is "a,b", a map "a=b,c=d". Made from a values file and
/// "--set", whose later words win; what is not said is the default.
/// </summary>
public sealed class InstallValues
{
    private readonly SortedDictionary<string, string> _given = new(StringComparer.Ordinal);

    public static InstallValues Defaults { get; } = new();

    /// <summary>What differs from the default, by name.</summary>
    public IReadOnlyDictionary<string, string> Given => _given;

    public string this[Setting setting] => _given.GetValueOrDefault(setting.Name, setting.Default);

    /// <exception cref="CommandException">One sentence about the first thing that is wrong.</exception>
    public static InstallValues Read(IEnumerable<(string Name, string Value)> words)
    {
        var values = new InstallValues();
        foreach (var (name, value) in words)
        {
            var setting = Settings.All.FirstOrDefault(setting => setting.Name == name) ?? throw Unknown(name);
            if (setting.Type.Complaint(value) is { } complaint) throw CommandException.Usage($"setting {name}: {complaint}");
            if (value == setting.Default) values._given.Remove(name);
            else values._given[name] = value;
        }

        var together = Settings.Complaint(name => values[Settings.All.First(setting => setting.Name == name)]);
        return together is null ? values : throw CommandException.Usage(together);
    }

    /// <summary>The words of "--set": "controller.replicas=3".</summary>
    public static (string Name, string Value) Word(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : throw CommandException.Usage($"--set \"{text}\" is not KEY=VALUE, such as controller.replicas=3");
    }

    /// <summary>The words of a values file: YAML, nested at the dots of the names, as Helm reads it.</summary>
    public static IReadOnlyList<(string Name, string Value)> File(string file, string yaml)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new Parser(new StringReader(yaml)));
        }
        catch (YamlException failure)
        {
            throw CommandException.Usage($"{file}, line {failure.Start.Line}: no YAML that can be read");
        }

        var words = new List<(string, string)>();
        if (stream.Documents.Count == 0) return words;
        if (stream.Documents.Count > 1 || stream.Documents[0].RootNode is not YamlMappingNode root) throw CommandException.Usage($"{file} is not one map of settings");
        Collect("", root, file, words);
        return words;
    }

    private static void Collect(string prefix, YamlMappingNode node, string file, List<(string Name, string Value)> words)
    {
        foreach (var (key, value) in node.Children)
        {
            var name = prefix + Scalar(key, file, prefix);
            if (Settings.All.FirstOrDefault(setting => setting.Name == name) is { } setting) words.Add((name, Text(setting, value, file)));
            else if (value is YamlMappingNode inner && Settings.All.Any(setting => setting.Name.StartsWith(name + ".", StringComparison.Ordinal))) Collect(name + ".", inner, file, words);
            else throw Unknown(name);
        }
    }

    private static string Text(Setting setting, YamlNode value, string file)
    {
        IEnumerable<string>? items = (value, setting.Type.Shape) switch
        {
            (YamlSequenceNode list, SettingShape.List) => list.Select(item => Scalar(item, file, setting.Name)),
            (YamlMappingNode map, SettingShape.Map) => map.Select(pair => $"{Scalar(pair.Key, file, setting.Name)}={Scalar(pair.Value, file, setting.Name)}"),
            (YamlScalarNode { Value: var text }, not (SettingShape.List or SettingShape.Map)) => [text ?? ""],
            _ => null,
        };
        if (items is null) throw CommandException.Usage($"{file}: setting {setting.Name} {Shape(setting.Type.Shape)}");
        var known = items.ToList();
        // A comma tells items apart from here on.
        if (setting.Type.Shape != SettingShape.Text && known.Find(item => item.Contains(',', StringComparison.Ordinal)) is { } comma)
            throw CommandException.Usage($"setting {setting.Name}: \"{comma}\" is not {setting.Type.Words}");
        return string.Join(',', known);
    }

    private static string Shape(SettingShape shape) => shape switch
    {
        SettingShape.List => "must be a list",
        SettingShape.Map => "must be a map",
        _ => "must be a single value",
    };

    private static string Scalar(YamlNode node, string file, string where) =>
        node is YamlScalarNode { Value: { } text } ? text
        : throw CommandException.Usage($"{file}: in {(where.Length == 0 ? "the file" : where.TrimEnd('.'))} stands what is no single value");

    private static CommandException Unknown(string name)
    {
        var names = Settings.All.Select(setting => setting.Name).ToList();
        var hint = names.Where(known => known.StartsWith(name + ".", StringComparison.Ordinal)).ToList() is { Count: > 0 } inner ? $"choose {string.Join(", ", inner)}"
            : Nearest.To(name, names) is { } near ? $"did you mean \"{near}\"?"
            : "`kruise-image ctl install --help` lists them";
        return CommandException.Usage($"there is no setting \"{name}\": {hint}");
    }
}
