using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The connections to the API server: TLS to its own CA with the name checked, and keepalive, so that a peer that vanished is
/// noticed in half a minute. HTTP/1.1: slightly faster than HTTP/2 when measured, and a slow watch delays nobody else.
/// </summary>
public static class KubeTransport
{
    private const int KeepAliveIdleSeconds = 15;
    private const int KeepAliveIntervalSeconds = 5;
    private const int KeepAliveProbes = 3;

    /// <param name="clientCertificate">Asked at each handshake unless the kubeconfig holds it: plugins renew theirs.</param>
    public static SocketsHttpHandler CreateHandler(ClusterConfig config, Func<X509Certificate2Collection?> clientCertificate)
    {
        var handler = new SocketsHttpHandler
        {
            // The number of connections is not limited: each watch holds one for long, and writes are bounded by the workers.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // No AutomaticDecompression: none is the default, and to say so links all of Brotli.
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectCallback = Connect,
            SslOptions = Tls(config, clientCertificate),
        };
        // As kubectl: no proxy of the environment stands before this machine itself.
        if (config.Proxy is not null) handler.Proxy = new FixedProxy(config.Proxy);
        else if (config.Server.IsLoopback) handler.UseProxy = false;
        return handler;
    }

    private static SslClientAuthenticationOptions Tls(ClusterConfig config, Func<X509Certificate2Collection?> clientCertificate)
    {
        // Whose name must stand in the certificate is not ours to say here: the handler takes that of the request's Host, see KubeClient.
        var tls = new SslClientAuthenticationOptions();
        if (config.Credentials is FixedCredentials { Certificate: { } fixedChain })
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(fixedChain[0], fixedChain, offline: true);
        else
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => clientCertificate() is { Count: > 0 } chain ? chain[0] : null!;
        if (config.Authorities is { } authorities)
        {
            // No callback: the chain must end at the cluster's own CA, and the name must stand in the certificate.
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

#pragma warning disable CA5359 // asked for by insecure-skip-tls-verify in the kubeconfig
        if (config.SkipsVerification) tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        return tls;
    }

    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveIdleSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>For every host. Not <see cref="WebProxy"/>, whose lists of exceptions nobody fills here.</summary>
    private sealed class FixedProxy(Uri address) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => address;

        public bool IsBypassed(Uri host) => false;
    }
}
