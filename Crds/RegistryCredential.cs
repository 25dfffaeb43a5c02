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

    /// <summary>The texts that no message may hold.</summary>
    public IEnumerable<string> Secrets => new[] { Password, IdentityToken, RegistryToken }.Where(secret => secret.Length > 0);

    public override string ToString() => IsAnonymous ? "anonymous" : "a credential";
}
