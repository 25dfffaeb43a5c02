using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace KruiseImage.Bed;

/// <summary>
/// Every password and token that the bed gave to anybody, in every form in which it travels. None of them may turn up in anything that
/// the product says; <see cref="FoundIn"/> is how that is looked for.
/// </summary>
public sealed class UsedSecrets
{
    private readonly ConcurrentDictionary<string, string> whatByValue = new(StringComparer.Ordinal);

    /// <summary>What there is to leak: "the password of alice".</summary>
    public IReadOnlyList<string> Known => [.. whatByValue.Values.Distinct().Order(StringComparer.Ordinal)];

    public void Add(string what, string value) => whatByValue[value] = what;

    /// <summary>The password itself, as a Secret holds it, and with the name as the header and docker's <c>auth</c> do.</summary>
    public void AddPassword(RegistryUser user)
    {
        Add($"the password of {user.Name}", user.Password);
        Add($"the password of {user.Name} in base64", Base64(user.Password));
        Add($"name and password of {user.Name} in base64", user.Auth);
    }

    /// <summary>What of it the text holds; the values are not repeated.</summary>
    public IReadOnlyList<string> FoundIn(string text)
    {
        string[] values = [.. whatByValue.Keys];
        // One pass for all of them, and nearly always the only one.
        return text.AsSpan().ContainsAny(SearchValues.Create(values, StringComparison.Ordinal))
            ? [.. values.Where(value => text.Contains(value, StringComparison.Ordinal)).Select(value => whatByValue[value]).Distinct()]
            : [];
    }

    internal static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
