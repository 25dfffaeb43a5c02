using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// A label selector as kubectl takes it after -l: "a=b,c!=d,e in (f,g),h notin (i),j,!k". Equalities become matchLabels, the
/// rest matchExpressions, which is how a person would write them in YAML.
/// </summary>
public sealed record SelectorText(Dictionary<string, string>? MatchLabels, List<LabelSelectorRequirement>? MatchExpressions)
{
    /// <exception cref="CommandException">With a sentence that quotes what is wrong.</exception>
    public static SelectorText Parse(string option, string text)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var expressions = new List<LabelSelectorRequirement>();
        foreach (var term in Terms(option, text))
        {
            var requirement = ParseTerm(option, text, term);
            if (requirement is not { Operator: "=", Key: { } key, Values: [var value] }) expressions.Add(requirement);
            else if (!labels.TryAdd(key, value)) throw Malformed(option, text, $"it asks for two values of \"{key}\"; write {key} in (a,b)");
        }
        if (!LabelSelector.TryCompile(labels, expressions, out _, out var error)) throw Malformed(option, text, error);
        return new SelectorText(labels.Count > 0 ? labels : null, expressions.Count > 0 ? expressions : null);
    }

    /// <summary>Splits at the commas that are not between parentheses.</summary>
    private static List<string> Terms(string option, string text)
    {
        var terms = new List<string>();
        var (start, depth) = (0, 0);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length)
            {
                depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
                if (depth is < 0 or > 1) throw Malformed(option, text, "the parentheses do not match");
                if (text[i] != ',' || depth > 0) continue;
            }
            terms.Add(text[start..i].Trim());
            start = i + 1;
        }
        if (depth != 0) throw Malformed(option, text, "the parentheses do not match");
        return terms;
    }

    private static LabelSelectorRequirement ParseTerm(string option, string text, string term)
    {
        if (term.Length == 0) throw Malformed(option, text, "a term between commas is empty");
        if (term.EndsWith(')')) return ParseSet(option, text, term);
        if (term.IndexOf("!=", StringComparison.Ordinal) is > 0 and var differs)
            return new() { Key = term[..differs].Trim(), Operator = "NotIn", Values = [term[(differs + 2)..].Trim()] };
        if (term.IndexOf('=', StringComparison.Ordinal) is >= 0 and var equals)
            return new() { Key = term[..equals].Trim(), Operator = "=", Values = [term[(equals + 1)..].TrimStart('=').Trim()] };
        return term[0] == '!'
            ? new() { Key = term[1..].Trim(), Operator = "DoesNotExist" }
            : new() { Key = term, Operator = "Exists" };
    }

    private static LabelSelectorRequirement ParseSet(string option, string text, string term)
    {
        var open = term.IndexOf('(', StringComparison.Ordinal);
        var words = open < 0 ? [] : term[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var @operator = words is [_, var word] ? word switch { "in" => "In", "notin" => "NotIn", _ => null } : null;
        if (@operator is null) throw Malformed(option, text, $"\"{term}\" is neither KEY in (A,B) nor KEY notin (A,B)");
        return new() { Key = words[0], Operator = @operator, Values = [.. term[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries)] };
    }

    private static CommandException Malformed(string option, string text, string why) => CommandException.Usage($"{option} \"{text}\": {why}");
}
