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
        return Prefix($"{repository}-{version}");
    }

    /// <summary>Of several: the first, and how many more.</summary>
    public static string Prefix(IReadOnlyList<ImageReference> images) => images is [var one] ? Prefix(one) : Prefix(Prefix(images[0]), images.Count);

    /// <summary>Of the first of several things, and how many there are.</summary>
    public static string Prefix(string first, int count)
    {
        var end = count > 1 ? $"-and-{count - 1}-more" : "";
        var start = Prefix(first).TrimEnd('-');
        return $"{(start.Length > MaxPrefixLength - 1 - end.Length ? start[..(MaxPrefixLength - 1 - end.Length)] : start).TrimEnd('-')}{end}-";
    }

    /// <summary>Whatever the text is: letters and digits of it.</summary>
    private static string Prefix(string text)
    {
        var name = new StringBuilder();
        foreach (var c in text)
        {
            if (char.IsAsciiLetterOrDigit(c)) name.Append(char.ToLowerInvariant(c));
            else if (name.Length > 0 && name[^1] != '-') name.Append('-');
        }
        if (name.Length > MaxPrefixLength - 1) name.Length = MaxPrefixLength - 1;
        return $"{name.ToString().TrimEnd('-')}-";
    }
}
