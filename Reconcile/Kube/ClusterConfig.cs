using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.KubeConfigModels;

namespace KruiseImage.Reconcile.Kube;

/// <summary>One sentence for a person: why there is no way to the cluster, and what to do.</summary>
public sealed class ClusterConfigException(string sentence) : Exception(sentence);

/// <summary>
/// Where the API server is and who we are. Kubeconfigs are parsed by KubernetesClient; TLS is ours, because that package does not
/// check the host name against a private CA and keeps only the first certificate of a bundle.
/// </summary>
public sealed class ClusterConfig
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2? _clientCertificate;
    private readonly string? _tlsServerName;
    private readonly bool _skipsVerification;
    private readonly Func<CancellationToken, ValueTask<AuthenticationHeaderValue?>> _authorize;

    private ClusterConfig(
        Uri server, string @namespace, X509Certificate2Collection? authorities, X509Certificate2? clientCertificate, string? tlsServerName, bool skipsVerification,
        Func<CancellationToken, ValueTask<AuthenticationHeaderValue?>> authorize)
    {
        (Server, Namespace, _authorities, _clientCertificate, _tlsServerName, _skipsVerification, _authorize) =
            (server, @namespace, authorities, clientCertificate, tlsServerName, skipsVerification, authorize);
    }

    public Uri Server { get; }

    /// <summary>Of the context, or of the pod.</summary>
    public string Namespace { get; }

    /// <summary>As kubectl: the given file, else $KUBECONFIG, else ~/.kube/config, else the pod's service account.</summary>
    public static ClusterConfig Load(string? kubeconfig, string? context)
    {
        var path = kubeconfig ?? Environment.GetEnvironmentVariable("KUBECONFIG");
        if (string.IsNullOrEmpty(path)) path = Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/", ".kube", "config");
        var isAsked = kubeconfig is not null || context is not null || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KUBECONFIG"));
        if (!isAsked && !File.Exists(path) && File.Exists(Path.Combine(ServiceAccount, "token"))) return InCluster();
        if (!File.Exists(path)) throw new ClusterConfigException($"there is no kubeconfig at {path}: give --kubeconfig, or set KUBECONFIG");
        return FromFile(path, context);
    }

    public SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 64,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null,
        };
        var tls = new SslClientAuthenticationOptions { TargetHost = _tlsServerName ?? Server.IdnHost };
        if (_authorities is not null)
        {
            // No callback: the chain ends at the cluster's own CA and the name must be in the certificate.
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
        }

#pragma warning disable CA5359 // asked for by insecure-skip-tls-verify in the kubeconfig
        if (_skipsVerification) tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        if (_clientCertificate is not null) tls.ClientCertificateContext = SslStreamCertificateContext.Create(_clientCertificate, null, offline: true);
        handler.SslOptions = tls;
        return handler;
    }

    public ValueTask<AuthenticationHeaderValue?> Authorize(CancellationToken cancellationToken) => _authorize(cancellationToken);

    /// <summary>The server refused them.</summary>
    public void ForgetCredentials() => _ = _authorize;

    private static ClusterConfig InCluster()
    {
        var host = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST");
        var port = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT");
        if (host is null || port is null) throw new ClusterConfigException("KUBERNETES_SERVICE_HOST is not set: is this a pod?");
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(Path.Combine(ServiceAccount, "ca.crt"));
        var token = new TokenFile(Path.Combine(ServiceAccount, "token"));
        var @namespace = File.ReadAllText(Path.Combine(ServiceAccount, "namespace")).Trim();
        return new ClusterConfig(new Uri($"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}"), @namespace, authorities, null, null, false, token.Read);
    }

    private static ClusterConfig FromFile(string path, string? contextName)
    {
        K8SConfiguration file;
        try
        {
            file = KubernetesClientConfiguration.LoadKubeConfig(path, useRelativePaths: true);
        }
        catch (YamlDotNet.Core.YamlException malformed)
        {
            throw new ClusterConfigException($"the kubeconfig {path} is not understood: {malformed.Message}");
        }

        var name = contextName ?? file.CurrentContext;
        var contexts = file.Contexts ?? [];
        var context = contexts.FirstOrDefault(known => known.Name == name)?.ContextDetails
            ?? throw new ClusterConfigException($"the kubeconfig {path} has no context '{name}'; it has: {string.Join(", ", contexts.Select(known => known.Name))}");
        var cluster = file.Clusters?.FirstOrDefault(known => known.Name == context.Cluster)?.ClusterEndpoint
            ?? throw new ClusterConfigException($"the kubeconfig {path} has no cluster '{context.Cluster}', which context '{name}' names");
        var user = file.Users?.FirstOrDefault(known => known.Name == context.User)?.UserCredentials ?? new UserCredentials();
        var token = user.Token is { Length: > 0 } text ? new AuthenticationHeaderValue("Bearer", text) : null;
        return new ClusterConfig(
            new Uri(cluster.Server), context.Namespace ?? "default", Authorities(cluster), ClientCertificate(user), cluster.TlsServerName, cluster.SkipTlsVerify,
            _ => ValueTask.FromResult(token));
    }

    private static X509Certificate2Collection? Authorities(ClusterEndpoint cluster)
    {
        var authorities = new X509Certificate2Collection();
        if (cluster.CertificateAuthorityData is { Length: > 0 } data) authorities.ImportFromPem(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data)));
        else if (cluster.CertificateAuthority is { Length: > 0 } path) authorities.ImportFromPemFile(path);
        else return null;
        return authorities;
    }

    private static X509Certificate2? ClientCertificate(UserCredentials user)
    {
        if (Pem(user.ClientCertificateData, user.ClientCertificate) is not { } certificate || Pem(user.ClientKeyData, user.ClientKey) is not { } key) return null;
        return X509Certificate2.CreateFromPem(certificate, key);
    }

    private static string? Pem(string? data, string? path)
    {
        if (data is { Length: > 0 }) return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data));
        return path is { Length: > 0 } ? File.ReadAllText(path) : null;
    }
}
