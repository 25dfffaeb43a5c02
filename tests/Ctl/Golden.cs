using System.Runtime.CompilerServices;
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
    public static void CheckFile(string file, string text, [CallerFilePath] string testFile = "") =>
        Compare(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(testFile)!, "../..", file)), text);

    private static void Compare(string path, string text)
    {
        text = text.ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 }) File.WriteAllText(path, text);
        Assert.True(File.Exists(path), $"{path} is missing; run with UPDATE_GOLDEN=1");
        Assert.Equal(File.ReadAllText(path), text);
    }
}
