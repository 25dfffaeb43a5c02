using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Where the API server is, how to trust it and who we are to it. Read once at start, by every mode; later only credentials
/// change, behind <see cref="Credentials"/>.
/// </summary>
public sealed class ClusterConfig
{
    private ClusterConfig(Uri server, string @namespace, ICredentialSource credentials) =>
        (Server, Namespace, Credentials) = (server, @namespace, credentials);

    public Uri Server { get; }

    /// <summary>Of the context, or of the pod; "default" when the context names none.</summary>
    public string Namespace { get; }

    public ICredentialSource Credentials { get; }

    /// <summary>Null: the system's.</summary>
    public X509Certificate2Collection? Authorities { get; private init; }

    public string? TlsServerName { get; private init; }

    public bool SkipsVerification { get; private init; }

    /// <summary>For whoever started us: what of this is unsafe, though asked for. Null: nothing.</summary>
    public string? Warning => SkipsVerification
        ? $"the kubeconfig has insecure-skip-tls-verify: whoever stands between here and {Server.Authority} can read and change everything, credentials included"
        : null;

    /// <summary>Null: that of the environment (HTTPS_PROXY).</summary>
    public Uri? Proxy { get; private init; }

    /// <summary>Headers of each request: whom to act for.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; private init; } = [];

    /// <summary>As kubectl: the given file, else the files of $KUBECONFIG, else ~/.kube/config, else the pod's service account.</summary>
    /// <param name="context">Null: the current one.</param>
    /// <exception cref="ClusterConfigException">Says what to do.</exception>
    public static ClusterConfig Load(string? kubeconfig, string? context) => Load(kubeconfig, context, ConfigSources.Process);

    public static ClusterConfig Load(string? kubeconfig, string? context, ConfigSources sources)
    {
        if (!string.IsNullOrEmpty(kubeconfig)) return FromContext(Kubeconfig.Read([kubeconfig]).Context(context), sources);
        if (sources.Set("KUBECONFIG") is { } listed)
            return FromContext(Kubeconfig.Read(listed.Split(':', StringSplitOptions.RemoveEmptyEntries)).Context(context), sources);
        var usual = Path.Combine(sources.Set("HOME") ?? "/", ".kube", "config");
        var isPod = File.Exists(Path.Combine(sources.ServiceAccount, "token"));
        return isPod && context is null && !File.Exists(usual) ? InCluster(sources) : FromContext(Kubeconfig.Read([usual]).Context(context), sources);
    }

    private static ClusterConfig InCluster(ConfigSources sources)
    {
        if (sources.Set("KUBERNETES_SERVICE_HOST") is not { } host || sources.Set("KUBERNETES_SERVICE_PORT") is not { } port)
            throw new ClusterConfigException("this looks like a pod, but KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: give --kubeconfig");
        var address = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        var @namespace = Path.Combine(sources.ServiceAccount, "namespace");
        return new ClusterConfig(
            new Uri($"https://{address}:{port}"),
            File.Exists(@namespace) ? File.ReadAllText(@namespace).Trim() : "default",
            new TokenFile(Path.Combine(sources.ServiceAccount, "token"), sources.Clock))
        {
            Authorities = Understood("the pod's ca.crt", () => Certificates.Authorities(File.ReadAllText(Path.Combine(sources.ServiceAccount, "ca.crt")))),
        };
    }

    private static ClusterConfig FromContext(KubeconfigContext context, ConfigSources sources)
    {
        var cluster = context.Cluster;
        if (!Uri.TryCreate(cluster.Server, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            throw new ClusterConfigException($"the kubeconfig's context \"{context.Name}\" names the server \"{cluster.Server}\", which is not a URL: it should begin with https://");
        var proxy = cluster.ProxyUrl is null ? null
            : Uri.TryCreate(cluster.ProxyUrl, UriKind.Absolute, out var url) ? url
            : throw new ClusterConfigException($"the kubeconfig's proxy-url \"{cluster.ProxyUrl}\" is not a URL");
        var authorities = Pem("certificate-authority", cluster.CertificateAuthorityData, cluster.CertificateAuthority, context.ClusterDirectory);
        if (authorities is not null && cluster.SkipsTlsVerify)
            throw new ClusterConfigException($"the kubeconfig's context \"{context.Name}\" has both a certificate-authority and insecure-skip-tls-verify: remove the latter");
        var credentials = CredentialsOf(context, sources);
        // kubectl leaves the credentials out and is then nobody; said at once, it is understood. On this machine nobody listens: kubectl proxy.
        if (server.Scheme == "http" && !server.IsLoopback && credentials is not FixedCredentials { HasAuthorization: false })
            throw new ClusterConfigException(
                $"the kubeconfig's context \"{context.Name}\" would show the credentials of \"{context.UserName}\" to everybody on the way: "
                + "its server begins with http://, make it https://");
        return new ClusterConfig(server, context.Namespace ?? "default", credentials)
        {
            Authorities = authorities is null ? null : Understood("the kubeconfig's certificate-authority", () => Certificates.Authorities(authorities)),
            TlsServerName = string.IsNullOrEmpty(cluster.TlsServerName) ? null : cluster.TlsServerName,
            SkipsVerification = cluster.SkipsTlsVerify,
            Proxy = proxy,
            Headers = Impersonation(context.User),
        };
    }

    private static ICredentialSource CredentialsOf(KubeconfigContext context, ConfigSources sources)
    {
        var user = context.User;
        if (user.Exec is not null) return new ExecPlugin(ExecPluginSpec.From(context), sources.Clock);
        if (user.TokenFile is { } file) return new TokenFile(Path.GetFullPath(file, context.UserDirectory), sources.Clock);
        if (user.AuthProvider is not null && string.IsNullOrEmpty(user.Token))
            throw new ClusterConfigException(
                $"the kubeconfig's user \"{context.UserName}\" uses the auth provider \"{user.AuthProvider}\", which kubectl has dropped: use an exec plugin");
        var certificate = Pem("client-certificate", user.ClientCertificateData, user.ClientCertificate, context.UserDirectory);
        var key = Pem("client-key", user.ClientKeyData, user.ClientKey, context.UserDirectory);
        if (certificate is null != key is null)
            throw new ClusterConfigException($"the kubeconfig's user \"{context.UserName}\" needs both a client-certificate and a client-key");
        return new FixedCredentials(new Credentials(
            Authorization(user),
            certificate is null ? null : Understood("the kubeconfig's client certificate", () => Certificates.WithKey(certificate, key!))));
    }

    private static AuthenticationHeaderValue? Authorization(KubeconfigUser user)
    {
        if (!string.IsNullOrEmpty(user.Token)) return new AuthenticationHeaderValue("Bearer", user.Token);
        if (string.IsNullOrEmpty(user.Username)) return null;
        return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{user.Username}:{user.Password}"))));
    }

    private static IReadOnlyList<KeyValuePair<string, string>> Impersonation(KubeconfigUser user)
    {
        if (string.IsNullOrEmpty(user.Impersonate)) return [];
        return [KeyValuePair.Create("Impersonate-User", user.Impersonate), .. user.ImpersonateGroups.Select(group => KeyValuePair.Create("Impersonate-Group", group))];
    }

    /// <summary>The text of the inline data, else of the file.</summary>
    private static string? Pem(string what, string? data, string? path, string directory)
    {
        if (!string.IsNullOrEmpty(data)) return Understood($"the kubeconfig's {what}-data", () => Encoding.UTF8.GetString(Convert.FromBase64String(data)));
        return string.IsNullOrEmpty(path) ? null : Understood($"the kubeconfig's {what}", () => File.ReadAllText(Path.GetFullPath(path, directory)));
    }

    private static T Understood<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or FormatException or CryptographicException or ArgumentException)
        {
            throw new ClusterConfigException($"{what} cannot be used: {wrong.Message}");
        }
    }
}
