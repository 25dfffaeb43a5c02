using System.Net.Http.Headers;

namespace KruiseImage.Bed;

/// <summary>
/// Two registries that ask who is there, one by a password with each request, the other by a token of its <see cref="TokenServer"/>.
/// Nodes know them by hosts of their own, which no name server knows: see <see cref="AddressesFor"/>.
/// </summary>
public sealed class PrivateRegistries : IAsyncDisposable
{
    public const string PasswordHost = "private.test:5000";
    public const string TokenHost = "token.test:5000";

    private readonly Dictionary<string, Registry> registries;

    private readonly Dictionary<string, RegistryProxy> proxies;

    public PrivateRegistries(string bedDirectory, string logDirectory, IReadOnlyCollection<string> nodes, UsedSecrets secrets)
    {
        var directory = Directory.CreateDirectory(Path.Combine(bedDirectory, "private-registries")).FullName;
        var htpasswd = Path.Combine(directory, "htpasswd");
        Users = new RegistryUsers(htpasswd, secrets);
        Tokens = new TokenServer(directory, Users, secrets);
        var pusher = Users.Add("bed");
        var byPassword = new RegistryAuthentication($"""
            auth:
              htpasswd:
                realm: kruise-image-bed
                path: {htpasswd}
            """, _ => new AuthenticationHeaderValue("Basic", pusher.Auth));
        var byToken = new RegistryAuthentication(Tokens.RegistryConfiguration, repository => new AuthenticationHeaderValue("Bearer", Tokens.PushToken(repository)));
        registries = new()
        {
            [PasswordHost] = new Registry("registry-with-passwords", bedDirectory, logDirectory, byPassword),
            [TokenHost] = new Registry("registry-with-tokens", bedDirectory, logDirectory, byToken),
        };
        proxies = registries.ToDictionary(entry => entry.Key, entry => new RegistryProxy(entry.Value.Address, nodes));
    }

    public RegistryUsers Users { get; }

    public TokenServer Tokens { get; }

    public Registry this[string host] => registries[host];

    public RegistryProxy Proxy(string host) => proxies[host];

    /// <summary>Where each host is for this node, which has it in its <c>certs.d</c>.</summary>
    public IReadOnlyDictionary<string, Uri> AddressesFor(string node) => proxies.ToDictionary(entry => entry.Key, entry => entry.Value.AddressFor(node));

    public string IdentityTokenOf(RegistryUser user) => Tokens.IdentityTokenOf(user);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Tokens.StartAsync(cancellationToken);
        await Task.WhenAll(proxies.Values.Select(proxy => proxy.StartAsync(cancellationToken)));
        await Task.WhenAll(registries.Values.Select(registry => registry.StartAsync(cancellationToken)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var registry in registries.Values)
            registry.Dispose();
        foreach (var proxy in proxies.Values)
            await proxy.DisposeAsync();
        await Tokens.DisposeAsync();
    }
}
