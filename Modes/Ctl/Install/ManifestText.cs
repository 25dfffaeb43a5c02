namespace KruiseImage.Modes.Ctl.Install;

/// <summary>
/// Changes single places of a manifest's text and leaves all else, comments included, as it stands. Called by <see cref="Manifests"/>
/// with values, and by the chart's generator with expressions. Reads only the block style that manifests/ is written in. Pure.
/// </summary>
public static class ManifestText
{
    /// <param name="replace">From the value that stands there to the one that shall.</param>
    public static string Replace(string text, string path, Func<string, string> replace)
    {
        var lines = text.Split('\n');
        var line = Find(lines, path).First;
        var colon = lines[line].IndexOf(": ", StringComparison.Ordinal) + 2;
        lines[line] = lines[line][..colon] + replace(lines[line][colon..]);
        return string.Join('\n', lines);
    }

    /// <summary>After the last line of the block at the path.</summary>
    public static string Append(string text, string path, string added)
    {
        var lines = text.Split('\n').ToList();
        lines.Insert(Find(lines, path).Last + 1, added);
        return string.Join('\n', lines);
    }

    /// <summary>The first place of that path: of several items of a list the first that has it.</summary>
    private static (int First, int Last) Find(IReadOnlyList<string> lines, string path)
    {
        var outer = new Stack<(int Indent, string Path)>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (Key(lines[i]) is not { } key) continue;
            while (outer.Count > 0 && outer.Peek().Indent >= key.Indent) outer.Pop();
            var here = outer.Count == 0 ? key.Name : $"{outer.Peek().Path}.{key.Name}";
            if (here == path) return (i, End(lines, i, key.Indent));
            outer.Push((key.Indent, here));
        }

        throw new ArgumentException($"no line of the manifest is at {path}", nameof(path));
    }

    /// <summary>A list's items may stand at the column of its key. Comments after the block belong to what follows.</summary>
    private static int End(IReadOnlyList<string> lines, int first, int indent)
    {
        var last = first;
        for (var i = first + 1; i < lines.Count; i++)
        {
            var content = lines[i].TrimStart(' ');
            if (content.Length == 0 || content[0] == '#') continue;
            var column = lines[i].Length - content.Length;
            if (column < indent || (column == indent && !content.StartsWith("- ", StringComparison.Ordinal))) break;
            last = i;
        }

        return last;
    }

    /// <summary>The column of a key is its own, behind the dashes of a list.</summary>
    private static (int Indent, string Name)? Key(string line)
    {
        var content = line.TrimStart(' ');
        if (content.StartsWith('#')) return null;
        if (content.StartsWith("- ", StringComparison.Ordinal)) content = content[2..];
        var colon = content.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && (colon == content.Length - 1 || content[colon + 1] == ' ') ? (line.Length - content.Length, content[..colon]) : null;
    }
}
