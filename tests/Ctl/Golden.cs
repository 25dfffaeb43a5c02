using System.Runtime.CompilerServices;
using KruiseImage.Tests.Tidy;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>
/// Compares a text with the file Golden/NAME.txt beside the tests. With UPDATE_GOLDEN=1 it writes the file instead: look at the
/// difference before you commit it.
/// </summary>
internal static class Golden
{
    public static void Check(string name, string text, [CallerFilePath] string testFile = "") =>
        Compare(Path.Combine(Path.GetDirectoryName(testFile)!, "Golden", $"{name}.txt"), text);

    /// <param name="file">Below the top of the repository.</param>
    public static void CheckFile(string file, string text) => Compare(Path.Combine(SourceFile.Root, file), text);

    /// <summary>A table of a document that the code knows: all rows under the heading, up to the next empty line.</summary>
    /// <param name="file">Below the top of the repository.</param>
    public static void CheckTable(string file, string heading, IEnumerable<string> rows)
    {
        var path = Path.Combine(SourceFile.Root, file);
        heading = $"{heading}\n{string.Concat(Enumerable.Repeat("|---", heading.Count(c => c == '|') - 1))}|\n";
        var text = File.ReadAllText(path);
        var start = text.IndexOf(heading, StringComparison.Ordinal);
        Assert.True(start > 0, $"{file} has no table with the heading {heading}");
        var end = text.IndexOf("\n\n", start, StringComparison.Ordinal) is >= 0 and var blank ? blank + 1 : text.Length;
        Compare(path, text[..start] + heading + string.Concat(rows.Select(row => $"{row}\n")) + text[end..]);
    }

    private static void Compare(string path, string text)
    {
        text = text.ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 }) File.WriteAllText(path, text);
        Assert.True(File.Exists(path), $"{path} is missing; run with UPDATE_GOLDEN=1");
        Assert.Equal(File.ReadAllText(path), text);
    }
}
