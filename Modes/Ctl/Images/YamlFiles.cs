namespace KruiseImage.Modes.Ctl.Images;

/// <summary>Reads what "-f" names: a file, the files of a directory (not of those in it, as kubectl), or "-", the standard input.</summary>
public static class YamlFiles
{
    private const int MaxCharacters = 32 << 20;
    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    /// <returns>What to call each in a sentence, and its text.</returns>
    /// <exception cref="CommandException">Something is not there, cannot be read, or is too large.</exception>
    public static IEnumerable<(string Where, string Text)> Read(IReadOnlyList<string> paths, TextReader input)
    {
        if (paths.Count(path => path == "-") > 1) throw CommandException.Usage("--filename - is given twice: there is one standard input");
        foreach (var path in paths)
        {
            if (path == "-") yield return ("the standard input", Text("the standard input", () => input));
            else foreach (var file in FilesOf(path)) yield return (file, Text(file, () => new StreamReader(file)));
        }
    }

    private static List<string> FilesOf(string path)
    {
        if (!Directory.Exists(path)) return [path];
        try
        {
            var files = Directory.GetFiles(path).Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToList();
            return files.Count > 0 ? files : throw CommandException.Usage($"--filename {path}: there is no file that ends in .yaml, .yml or .json");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"--filename {path} cannot be read: {refused.Message}");
        }
    }

    private static string Text(string where, Func<TextReader> open)
    {
        try
        {
            using var reader = open();
            var buffer = new char[64 << 10];
            var text = new System.Text.StringBuilder();
            while (reader.Read(buffer, 0, buffer.Length) is > 0 and var count)
            {
                if (text.Append(buffer, 0, count).Length > MaxCharacters) throw CommandException.Usage($"{where} is larger than {MaxCharacters >> 20} MiB");
            }
            return text.ToString();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage(refused is FileNotFoundException or DirectoryNotFoundException
                ? $"--filename {where}: there is no such file or directory"
                : $"--filename {where} cannot be read: {refused.Message}");
        }
    }
}
