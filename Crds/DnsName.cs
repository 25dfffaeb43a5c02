namespace KruiseImage.Crds;

/// <summary>Names of objects and prefixes of labels, by the rule that Kubernetes calls DNS-1123 subdomain. Pure.</summary>
public static class DnsName
{
    private const int MaxLength = 253;

    /// <summary>Parts of lower-case letters, digits and '-', joined by '.', none of which begins or ends with '-'.</summary>
    public static bool IsSubdomain(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxLength) return false;
        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.IsEmpty || label[0] == '-' || label[^1] == '-') return false;
            foreach (var c in label)
                if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-') return false;
        }

        return true;
    }
}
