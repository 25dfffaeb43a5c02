using System.Text;

namespace KruiseImage.Crds;

/// <summary>
/// What one registry is shown. It lives only as long as a pull needs it and must never be written anywhere: not even
/// <see cref="ToString"/> tells it.
/// </summary>
public sealed record RegistryCredential
{
    public static readonly RegistryCredential Anonymous = new();

    public string Username { get; init; } = "";
    public string Password { get; init; } = "";
    public string IdentityToken { get; init; } = "";
    public string RegistryToken { get; init; } = "";

    public bool IsAnonymous => this == Anonymous;

    /// <summary>The text without what no message may hold, in the forms in which it travels; the longest first, one may hold another.</summary>
    public string CutFrom(string text) =>
        new[] { Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")), Uri.EscapeDataString(Password), Password, IdentityToken, RegistryToken }
            .Where(secret => secret.Length > 0).OrderByDescending(secret => secret.Length)
            .Aggregate(text, (rest, secret) => rest.Replace(secret, "…", StringComparison.Ordinal));

    public override string ToString() => IsAnonymous ? "anonymous" : "a credential";
}
