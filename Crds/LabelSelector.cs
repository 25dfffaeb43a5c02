using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace KruiseImage.Crds;

/// <summary>
/// A label selector, checked once and then matched many times: an event about one node asks it for each job. Made by the planners'
/// views and by validation. It must never be made from a selector that the API server would refuse: what it renders goes into
/// list and watch requests.
/// </summary>
public sealed class LabelSelector
{
    /// <summary>From so many values on they are hashed: a list of host names may have thousands.</summary>
    private const int ManyValues = 16;

    private readonly Requirement[] _requirements;

    private LabelSelector(Requirement[] requirements) => _requirements = requirements;

    public static LabelSelector Everything { get; } = new([]);

    /// <summary>No requirement at all: every set of labels matches.</summary>
    public bool MatchesEverything => _requirements.Length == 0;

    private enum Operator
    {
        In,
        NotIn,
        Exists,
        DoesNotExist,
        /// <summary>From matchLabels: the same as In with one value, shorter to match and to write.</summary>
        Equals,
    }

    private readonly record struct Requirement(string Key, Operator Operator, string[] Values)
    {
        private readonly HashSet<string>? _set = Values.Length < ManyValues ? null : new(Values, StringComparer.Ordinal);

        public bool Matches(IReadOnlyDictionary<string, string>? labels)
        {
            string? value = null;
            var has = labels is not null && labels.TryGetValue(Key, out value);
            return Operator switch
            {
                Operator.Equals => has && value == Values[0],
                Operator.In => has && Has(value!),
                Operator.NotIn => !has || !Has(value!),
                Operator.Exists => has,
                _ => !has,
            };
        }

        /// <summary>What keeps it from matching.</summary>
        public string WhyNot(IReadOnlyDictionary<string, string>? labels)
        {
            if (labels is null || !labels.TryGetValue(Key, out var value)) return $"label {Key} is missing";
            return Operator switch
            {
                Operator.Equals or Operator.In => $"label {Key} is {Quoted.Of(value)}, not {string.Join(" or ", Values.Select(Quoted.Of))}",
                Operator.NotIn => $"label {Key} is {Quoted.Of(value)}",
                _ => $"label {Key} is there",
            };
        }

        private bool Has(string value) => _set?.Contains(value) ?? Array.IndexOf(Values, value) >= 0;
    }

    public bool Matches(IReadOnlyDictionary<string, string>? labels)
    {
        foreach (var requirement in _requirements)
            if (!requirement.Matches(labels)) return false;
        return true;
    }

    /// <summary>The first requirement that does not hold, for people: "label x is missing". Null when all do.</summary>
    public string? WhyNot(IReadOnlyDictionary<string, string>? labels)
    {
        foreach (var requirement in _requirements)
            if (!requirement.Matches(labels)) return requirement.WhyNot(labels);
        return null;
    }

    /// <summary>The labelSelector parameter of a list or watch, not yet escaped: "a=b,c in (d,e),!f".</summary>
    public override string ToString()
    {
        var query = new StringBuilder();
        foreach (var (key, @operator, values) in _requirements)
        {
            if (query.Length > 0) query.Append(',');
            _ = @operator switch
            {
                Operator.Equals => query.Append(key).Append('=').Append(values[0]),
                Operator.In => query.Append(key).Append(" in (").AppendJoin(',', values).Append(')'),
                Operator.NotIn => query.Append(key).Append(" notin (").AppendJoin(',', values).Append(')'),
                Operator.Exists => query.Append(key),
                _ => query.Append('!').Append(key),
            };
        }

        return query.ToString();
    }

    /// <summary>Pods of a podSelector: matchLabels, matchExpressions and the manual's labels straight under it all count.</summary>
    public static bool TryCompile(PodSelector podSelector, [NotNullWhen(true)] out LabelSelector? selector, out string error)
    {
        selector = null;
        var labels = podSelector.MatchLabels;
        if (podSelector.Shorthand is { Count: > 0 } shorthand)
        {
            labels = labels is null ? [] : new(labels);
            foreach (var (key, value) in shorthand)
            {
                if (value.ValueKind != JsonValueKind.String)
                {
                    error = $"label {Quoted.Of(key)} must have a string as its value";
                    return false;
                }

                if (!labels.TryAdd(key, value.GetString()!))
                {
                    error = $"label {Quoted.Of(key)} is given twice, under matchLabels and without";
                    return false;
                }
            }
        }

        return TryCompile(labels, podSelector.MatchExpressions, out selector, out error);
    }

    /// <summary>All requirements must hold. Nothing given: everything matches.</summary>
    /// <param name="error">Why not, as a sentence; empty on success.</param>
    public static bool TryCompile(
        IReadOnlyDictionary<string, string>? matchLabels,
        IReadOnlyList<LabelSelectorRequirement>? matchExpressions,
        [NotNullWhen(true)] out LabelSelector? selector,
        out string error)
    {
        selector = null;
        var requirements = new List<Requirement>((matchLabels?.Count ?? 0) + (matchExpressions?.Count ?? 0));
        foreach (var (key, value) in matchLabels ?? new Dictionary<string, string>())
        {
            if (!Add(requirements, key, Operator.Equals, [value], out error)) return false;
        }

        // A map has no order; a selector has one, so that equal selectors render alike.
        requirements.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        foreach (var expression in matchExpressions ?? [])
        {
            if (!TryOperator(expression, out var @operator, out error)) return false;
            if (!Add(requirements, expression?.Key, @operator, expression?.Values?.ToArray() ?? [], out error)) return false;
        }

        selector = requirements.Count == 0 ? Everything : new([.. requirements]);
        error = "";
        return true;
    }

    private static bool TryOperator(LabelSelectorRequirement? expression, out Operator @operator, out string error)
    {
        (@operator, var known) = expression?.Operator switch
        {
            nameof(Operator.In) => (Operator.In, true),
            nameof(Operator.NotIn) => (Operator.NotIn, true),
            nameof(Operator.Exists) => (Operator.Exists, true),
            nameof(Operator.DoesNotExist) => (Operator.DoesNotExist, true),
            _ => (default, false),
        };
        var hasValues = expression?.Values is { Count: > 0 };
        var wantsValues = @operator is Operator.In or Operator.NotIn;
        error = !known ? $"operator {Quoted.Of(expression?.Operator)} is none of In, NotIn, Exists, DoesNotExist"
            : wantsValues == hasValues ? ""
            : wantsValues ? $"operator {@operator} of label {Quoted.Of(expression?.Key)} needs values"
            : $"operator {@operator} of label {Quoted.Of(expression?.Key)} takes no values";
        return error.Length == 0;
    }

    private static bool Add(List<Requirement> requirements, string? key, Operator @operator, string?[] values, out string error)
    {
        error = IsKey(key) ? "" : $"{Quoted.Of(key)} is not a label key";
        foreach (var value in values)
            if (error.Length == 0 && !IsValue(value)) error = $"{Quoted.Of(value)} is not a label value (key {Quoted.Of(key)})";
        if (error.Length > 0) return false;
        requirements.Add(new(key!, @operator, values!));
        return true;
    }

    /// <summary>[prefix/]name: a DNS subdomain of at most 253 characters, a name of at most 63.</summary>
    private static bool IsKey(string? key)
    {
        if (string.IsNullOrEmpty(key)) return false;
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var name = key.AsSpan(slash + 1);
        return !name.IsEmpty && IsName(name) && (slash < 0 || DnsName.IsSubdomain(key.AsSpan(..slash)));
    }

    private static bool IsValue(string? value) => value is not null && (value.Length == 0 || IsName(value));

    private static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length > 63 || !char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1])) return false;
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return false;
        return true;
    }
}
