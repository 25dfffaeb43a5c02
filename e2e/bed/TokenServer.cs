using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Bed;

/// <summary>
/// Gives out the bearer tokens that a registry with <c>auth: token</c> wants, as the distribution project specifies them: by GET with a
/// name and a password or with neither, and by POST as OAuth 2 has it. A user may pull from every repository; nobody in particular
/// from those below <see cref="PublicPrefix"/>.
/// </summary>
public sealed class TokenServer : IAsyncDisposable
{
    public const string PublicPrefix = "public/";
    private const string Issuer = "kruise-image-bed";
    private const string Service = "kruise-image-bed-registry";

    /// <summary>docker-registry believes a token for a minute longer than the token says.</summary>
    private static readonly TimeSpan leeway = TimeSpan.FromMinutes(1);

    private readonly RegistryUsers users;
    private readonly UsedSecrets secrets;
    private readonly ConcurrentDictionary<string, RegistryUser> identities = new(StringComparer.Ordinal);
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 certificate;
    private readonly string certificateFile;
    private readonly Uri address = new($"http://127.0.0.1:{Ports.Free()}/token");
    private readonly WebApplication application;

    public TokenServer(string directory, RegistryUsers users, UsedSecrets secrets)
    {
        (this.users, this.secrets) = (users, secrets);
        certificate = new CertificateRequest($"CN={Issuer}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(7));
        certificateFile = Path.Combine(directory, "token-server.crt");
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, address.Port, listen => listen.Protocols = HttpProtocols.Http1));
        application = builder.Build();
        application.Run(AnswerAsync);
    }

    /// <summary>How long a token opens a registry. Its clients are told an hour: they learn of the end by being refused.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What sends a registry's clients here and makes it believe the tokens that they come back with.</summary>
    public string RegistryConfiguration => $"""
        auth:
          token:
            realm: {address}
            service: {Service}
            issuer: {Issuer}
            rootcertbundle: {certificateFile}
        """;

    public Task StartAsync(CancellationToken cancellationToken) => application.StartAsync(cancellationToken);

    /// <summary>What <c>docker login</c> keeps in place of a password when a registry offers it.</summary>
    public string IdentityTokenOf(RegistryUser user)
    {
        var token = RandomNumberGenerator.GetHexString(40, lowercase: true);
        secrets.Add($"the identity token of {user.Name}", token);
        identities[token] = user;
        return token;
    }

    public string PushToken(string repository) => Issue("bed", Access(repository, ["pull", "push"]));

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        certificate.Dispose();
        key.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var isPost = HttpMethods.IsPost(context.Request.Method);
        var form = isPost ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
        var service = isPost ? form!["service"].ToString() : context.Request.Query["service"].ToString();
        var scopes = isPost ? form!["scope"] : context.Request.Query["scope"];
        if (context.Request.Path != address.AbsolutePath || service != Service)
        {
            context.Response.StatusCode = (int)HttpStatusCode.BadRequest;
            return;
        }
        var isAnonymous = !isPost && context.Request.Headers.Authorization.Count == 0;
        var user = isPost ? UserOf(form!) : UserOf(context.Request.Headers.Authorization.ToString());
        if (!isAnonymous && (user is null || !users.Knows(user)))
        {
            context.Response.StatusCode = (int)HttpStatusCode.Unauthorized;
            return;
        }
        var repositories = scopes.SelectMany(scope => (scope ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(RepositoryOf).OfType<string>();
        var access = repositories.Where(repository => !isAnonymous || repository.StartsWith(PublicPrefix, StringComparison.Ordinal))
            .Select(repository => Access(repository, ["pull"]));
        var token = Issue(user?.Name ?? "", [.. access]);
        await context.Response.WriteAsJsonAsync(new JsonObject
        {
            [isPost ? "access_token" : "token"] = token,
            ["expires_in"] = 3600,
        }, context.RequestAborted);
    }

    private RegistryUser? UserOf(IFormCollection form) => form["grant_type"].ToString() switch
    {
        "password" => new RegistryUser(form["username"].ToString(), form["password"].ToString()),
        "refresh_token" => identities.GetValueOrDefault(form["refresh_token"].ToString()),
        _ => null,
    };

    private static RegistryUser? UserOf(string authorization)
    {
        var words = authorization.Split(' ');
        if (words is not ["Basic", var base64])
            return null;
        var pair = Encoding.UTF8.GetString(Convert.FromBase64String(base64)).Split(':', 2);
        return pair is [var name, var password] ? new RegistryUser(name, password) : null;
    }

    // "repository:team/app:pull" is about "team/app".
    private static string? RepositoryOf(string scope) => scope.Split(':') is ["repository", var repository, _] ? repository : null;

    private static JsonObject Access(string repository, JsonArray actions) =>
        new() { ["type"] = "repository", ["name"] = repository, ["actions"] = actions };

    private string Issue(string subject, params JsonNode[] access)
    {
        var now = DateTimeOffset.UtcNow;
        var header = Part(new JsonObject { ["typ"] = "JWT", ["alg"] = "ES256", ["x5c"] = new JsonArray(Convert.ToBase64String(certificate.RawData)) });
        var claims = Part(new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = subject,
            ["aud"] = Service,
            ["nbf"] = now.AddMinutes(-1).ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.Add(Lifetime - leeway).ToUnixTimeSeconds(),
            ["jti"] = RandomNumberGenerator.GetHexString(16),
            ["access"] = new JsonArray(access),
        });
        var signature = Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes($"{header}.{claims}"), HashAlgorithmName.SHA256));
        secrets.Add("a bearer token", signature); // without which it is none
        secrets.Add("the beginning of a bearer token", header[..60]); // messages are cut
        return $"{header}.{claims}.{signature}";
    }

    private static string Part(JsonObject content) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(content.ToJsonString()));
}
