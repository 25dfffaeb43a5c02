using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace KruiseImage.Tests.Tidy;

/// <summary>One file of the repository as the tidy tests read it: its lines, and its code without comments and strings.</summary>
internal sealed partial class SourceFile
{
    private static readonly string[] Product = ["Program.cs", "Modes/", "Reconcile/", "Cri/", "Crds/"];

    private SourceFile(string path)
    {
        Path = path;
        Text = File.ReadAllText(System.IO.Path.Combine(Root, path));
    }

    public static string Root { get; } = FindRoot();

    /// <summary>Everything that people write, but for what tools write (bin, obj, lock files).</summary>
    public static IReadOnlyList<SourceFile> All { get; } =
    [
        .. from path in Walk(Root)
           where path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".yaml", StringComparison.Ordinal) || path.EndsWith(".md", StringComparison.Ordinal)
               || path.EndsWith(".sh", StringComparison.Ordinal) || path.EndsWith(".csproj", StringComparison.Ordinal) || path.EndsWith(".proto", StringComparison.Ordinal)
               || path.EndsWith(".svg", StringComparison.Ordinal)
           orderby path
           select new SourceFile(path),
    ];

    public static IEnumerable<SourceFile> CSharp => All.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>What the executable is made of.</summary>
    public static IEnumerable<SourceFile> Ours => CSharp.Where(file => Product.Any(part => file.Path.StartsWith(part, StringComparison.Ordinal)));

    /// <summary>From the repository's root, with '/'.</summary>
    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    public string Text { get; }

    public string[] Lines => Text.Split('\n');

    /// <summary>The text with comments, strings and characters blanked out; lines stay where they are.</summary>
    public string Code => field ??= NoCode().Replace(Text, match => new string([.. match.Value.Select(c => c == '\n' ? '\n' : ' ')]));

    public override string ToString() => Path;

    /// <summary>The number of the line that a position is on, as editors count.</summary>
    public int LineOf(int position) => Text.AsSpan(0, position).Count('\n') + 1;

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder)) yield return System.IO.Path.GetRelativePath(Root, file).Replace('\\', '/');
        foreach (var child in Directory.EnumerateDirectories(folder))
        {
            if (System.IO.Path.GetFileName(child) is "bin" or "obj" or "artifacts" or "TestResults" || System.IO.Path.GetFileName(child).StartsWith('.')) continue;
            foreach (var path in Walk(child)) yield return path;
        }
    }

    private static string FindRoot([CallerFilePath] string here = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "../.."));

    // Raw strings, verbatim strings, strings, characters, comments to the line's end, comments in stars.
    [GeneratedRegex("""
        \"{3}.*?\"{3} | @\"(?:[^\"]|\"\")*\" | \"(?:\\.|[^\"\\\n])*\" | '(?:\\.|[^'\\\n])+' | //[^\n]* | /\*.*?\*/
        """, RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex NoCode();
}
