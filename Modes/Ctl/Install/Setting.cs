using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>How a value is written in a values file: a scalar, a list of them, or a map.</summary>
public enum SettingShape
{
    Text,
    Count,
    Flag,
    List,
    Map,
}

/// <summary>What a setting may be. Pure.</summary>
/// <param name="Words">Completes "x is not …".</param>
/// <param name="Schema">Of a value, or of one item of a list or map, as the members of a JSON schema.</param>
/// <param name="Allows">The same for a value, or one item; of a map "key=value".</param>
public sealed record SettingType(SettingShape Shape, string Words, string Schema, Func<string, bool> Allows)
{
    private const string NamePattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
    private const string WordPattern = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";

    private static readonly string[] QuantitySuffixes = ["", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"];

    public static readonly SettingType Image = new(
        SettingShape.Text, "the reference of an image, such as registry.example.com/kruise-image:0.1.0", "\"type\": \"string\", \"minLength\": 1",
        text => ImageReference.TryParse(text, out _, out _));

    public static readonly SettingType Flag = new(SettingShape.Flag, "true or false", "\"type\": \"boolean\"", text => text is "true" or "false");

    public static readonly SettingType Quantity = new(
        SettingShape.Text, "a quantity, such as 100m, 64Mi or 1", "\"type\": \"string\", \"pattern\": \"^[0-9]{1,9}(m|[kMGT]|[KMGT]i)?$\"", IsQuantity);

    /// <summary>Empty: none.</summary>
    public static readonly SettingType OptionalName = new(
        SettingShape.Text, "a name, or nothing", $"\"type\": \"string\", \"pattern\": \"^({NamePattern})?$\"", text => text.Length == 0 || Validation.IsObjectName(text));

    /// <summary>Empty: none. Never directly in the root, whose mount would hide the container's own.</summary>
    public static readonly SettingType Path = new(
        SettingShape.Text, "an absolute path, such as /run/k3s/containerd/containerd.sock", "\"type\": \"string\", \"pattern\": \"^((/[A-Za-z0-9_-][A-Za-z0-9._-]*){2,})?$\"", IsPath);

    public static readonly SettingType Names = new(
        SettingShape.List, "names, such as one,two", $"\"type\": \"string\", \"pattern\": \"^{NamePattern}$\"", text => Validation.IsObjectName(text));

    public static readonly SettingType Labels = new(
        SettingShape.Map, "labels, such as pool=web,kubernetes.io/arch=amd64", $"\"type\": \"string\", \"pattern\": \"^({WordPattern})?$\"", IsLabel);

    public static SettingType Choice(params string[] words) => new(
        SettingShape.Text, $"one of {string.Join(", ", words[..^1])} and {words[^1]}",
        $"\"type\": \"string\", \"enum\": [{string.Join(", ", words.Select(word => $"\"{word}\""))}]", words.Contains);

    public static SettingType Count(int least, int most) => new(
        SettingShape.Count, $"a number from {least} to {most}", $"\"type\": \"integer\", \"minimum\": {least}, \"maximum\": {most}",
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most && text == $"{number}");

    /// <summary>The items of a list or map; a scalar is its own item.</summary>
    public IReadOnlyList<string> Items(string value) =>
        Shape is not (SettingShape.List or SettingShape.Map) ? [value] : value.Length == 0 ? [] : value.Split(',');

    /// <summary>Null when the value may be.</summary>
    public string? Complaint(string value) =>
        Items(value).All(Allows) && (Shape != SettingShape.Map || Items(value).DistinctBy(item => item.Split('=')[0]).Count() == Items(value).Count)
            ? null
            : $"\"{value}\" is not {Words}";

    private static bool IsQuantity(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : text.Length;
        return digits is >= 1 and <= 9 && QuantitySuffixes.Contains(text[digits..]);
    }

    private static bool IsPath(string text) =>
        text.Length == 0 || (text[0] == '/' && text[1..].Split('/') is { Length: >= 2 } parts && parts.All(part => part.Length > 0 && part[0] != '.' && part.All(IsWordLetter)));

    private static bool IsLabel(string text) =>
        text.Split('=') is [{ Length: > 0 } key, var value] && LabelSelector.TryCompile(new Dictionary<string, string> { [key] = value }, null, out _, out _);

    private static bool IsWordLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-';
}

/// <summary>
/// One thing that can be set at installation: its name is the same for "--set", in a values file and in the Helm chart. Declared in
/// <see cref="Settings"/> and nowhere else.
/// </summary>
/// <param name="Name">"controller.replicas".</param>
/// <param name="Default">What the manifests say as they are.</param>
public sealed record Setting(string Name, SettingType Type, string Default, string Meaning)
{
    /// <summary>Where it shows.</summary>
    public IReadOnlyList<Edit> Edits { get; init; } = [];

    /// <summary>Of a flag: the folder of manifests that are there only when it is true.</summary>
    public string? Folder { get; init; }
}

public enum EditKind
{
    /// <summary>The value of the key at the path becomes the setting's, when there is one.</summary>
    Value,

    /// <summary>Lines at the end of the block at the path, unless the setting is its default; for a list or map its last line once for each item.</summary>
    Lines,
}

/// <summary>
/// How a setting changes the text of a manifest. One description for both readers: <see cref="Manifests"/> puts in the value, the chart
/// the expression of Helm that gives it.
/// </summary>
/// <param name="Path">Keys from the outside in, lists left out: "spec.template.spec.containers.image".</param>
/// <param name="Text">Of the value, or the lines: with VALUE, DIRECTORY (of the path that the value is) and, for a map, KEY.</param>
public sealed record Edit(string File, string Path, EditKind Kind, string Text)
{
    public const string ValueWord = "VALUE";
    public const string DirectoryWord = "DIRECTORY";
    public const string KeyWord = "KEY";
}
