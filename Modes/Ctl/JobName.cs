using System.Text;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>Names for jobs that nobody named: "nginx:1.9.1" becomes "nginx-1-9-1-" and five letters from the server.</summary>
public static class JobName
{
    /// <summary>With the server's five letters a name stays within the 63 characters of a label value.</summary>
    private const int MaxPrefixLength = 58;
    private const int DigestLetters = 12;

    /// <summary>The generateName; ends in a dash.</summary>
    public static string Prefix(ImageReference image)
    {
        var repository = image.Repository[(image.Repository.LastIndexOf('/') + 1)..];
        var version = image.Digest is { } digest ? digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..][..DigestLetters] : image.TagOrDigest;
        var name = new StringBuilder();
        foreach (var c in $"{repository}-{version}")
        {
            if (char.IsAsciiLetterOrDigit(c)) name.Append(char.ToLowerInvariant(c));
            else if (name.Length > 0 && name[^1] != '-') name.Append('-');
        }
        if (name.Length > MaxPrefixLength - 1) name.Length = MaxPrefixLength - 1;
        return $"{name.ToString().TrimEnd('-')}-";
    }
}
