using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>The bugs that <c>make sim-mutants</c> plants: a change of the code must not take from under one the place where it is planted.</summary>
public sealed class MutationTests
{
    [Fact]
    public void Every_planted_bug_fits_the_code()
    {
        var patches = Directory.GetFiles(Path.Combine(SourceFile.Root, "tests/sim/mutations"), "*.patch");
        Assert.NotEmpty(patches);
        Complaints.None(patches.Order().SelectMany(Misfits));
    }

    private static IEnumerable<string> Misfits(string patch)
    {
        var (path, text, hunk) = ("", "", new List<string>());
        foreach (var line in File.ReadLines(patch).Append("@@"))
        {
            if (line.StartsWith("--- a/", StringComparison.Ordinal))
            {
                path = line["--- a/".Length..];
                text = File.ReadAllText(Path.Combine(SourceFile.Root, path));
            }
            else if (line.StartsWith("@@", StringComparison.Ordinal) || line.StartsWith("diff ", StringComparison.Ordinal))
            {
                if (!text.Contains(string.Join('\n', hunk), StringComparison.Ordinal)) yield return $"{Path.GetFileName(patch)}: {path} does not have, line after line:\n{string.Join('\n', hunk)}";
                hunk.Clear();
            }
            else if (line is [' ' or '-', ..])
            {
                hunk.Add(line[1..]);
            }
        }
    }
}
