using System.Net.Http.Headers;

namespace KruiseImage.Bed;

/// <summary>
/// Two registries that ask who is there, one by a password with each request, the other by a token of its <see cref="TokenServer"/>.
/// Nodes know them by hosts of their own, which no name server knows: see <see cref="Addresses"/>.
/// </summary>
public sealed class PrivateRegistries : IAsyncDisposable
{
    public const string PasswordHost = "private.test:5000";
    public const string TokenHost = "token.test:5000";

    private readonly TokenServer tokens;
    private readonly Dictionary<string, Registry> registries;

    public PrivateRegistries(string bedDirectory, string logDirectory, UsedSecrets secrets)
    {
        var directory = Directory.CreateDirectory(Path.Combine(bedDirectory, "private-registries")).FullName;
        var htpasswd = Path.Combine(directory, "htpasswd");
        Users = new RegistryUsers(htpasswd, secrets);
        tokens = new TokenServer(directory, Users, secrets);
        var pusher = Users.Add("bed");
        var byPassword = new RegistryAuthentication($"""
            auth:
              htpasswd:
                realm: kruise-image-bed
                path: {htpasswd}
            """, _ => new AuthenticationHeaderValue("Basic", pusher.Auth));
        var byToken = new RegistryAuthentication(tokens.RegistryConfiguration, repository => new AuthenticationHeaderValue("Bearer", tokens.PushToken(repository)));
        registries = new()
        {
            [PasswordHost] = new Registry("registry-with-passwords", bedDirectory, logDirectory, byPassword),
            [TokenHost] = new Registry("registry-with-tokens", bedDirectory, logDirectory, byToken),
        };
    }

    public RegistryUsers Users { get; }

    public Registry this[string host] => registries[host];

    /// <summary>Where each host is; a node has it in its <c>certs.d</c>.</summary>
    public IReadOnlyDictionary<string, Uri> Addresses => registries.ToDictionary(entry => entry.Key, entry => entry.Value.Address);

    public string IdentityTokenOf(RegistryUser user) => tokens.IdentityTokenOf(user);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await tokens.StartAsync(cancellationToken);
        await Task.WhenAll(registries.Values.Select(registry => registry.StartAsync(cancellationToken)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var registry in registries.Values)
            registry.Dispose();
        await tokens.DisposeAsync();
    }
}
