using System.Globalization;

namespace KruiseImage.Bed;

/// <summary>One line of a metrics page.</summary>
public sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>Reads Prometheus' text format, as far as our servers write it: labels hold no escapes that matter to us. Pure.</summary>
public static class PrometheusText
{
    /// <summary>The samples with exactly this name: a server's page has megabytes of others, which are not taken apart.</summary>
    public static IEnumerable<Sample> Read(string text, string name)
    {
        foreach (var line in text.EnumerateNonEmptyLines())
        {
            if (!line.StartsWith(name, StringComparison.Ordinal) || line.Length == name.Length || line[name.Length] is not ('{' or ' '))
                continue;
            var brace = line.LastIndexOf('}');
            var value = double.Parse(line.AsSpan(Math.Max(brace + 1, name.Length)).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture);
            yield return new(name, brace < 0 ? new Dictionary<string, string>() : Labels(line[(name.Length + 1)..brace]), value);
        }
    }

    /// <summary><c>verb="GET",resource="pods"</c>: a value may hold a comma.</summary>
    private static Dictionary<string, string> Labels(string text)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var position = 0; position < text.Length;)
        {
            var equals = text.IndexOf("=\"", position, StringComparison.Ordinal);
            if (equals < 0)
                break;
            var end = text.IndexOf('"', equals + 2);
            while (end > 0 && text[end - 1] == '\\')
                end = text.IndexOf('"', end + 1);
            labels[text[position..equals].Trim(',', ' ')] = text[(equals + 2)..end];
            position = end + 1;
        }
        return labels;
    }

    private static IEnumerable<string> EnumerateNonEmptyLines(this string text)
    {
        using var reader = new StringReader(text);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0)
                yield return line;
    }
}
