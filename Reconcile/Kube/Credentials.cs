using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace KruiseImage.Reconcile.Kube;

/// <summary>Who we are to the API server, in one moment: a header, a client certificate, both or neither.</summary>
public sealed record Credentials(AuthenticationHeaderValue? Authorization, X509Certificate2Collection? Certificate = null)
{
    public static Credentials Bearer(string token) => new(new AuthenticationHeaderValue("Bearer", token));
}

/// <summary>Where credentials come from. Asked before each request, by any number of callers.</summary>
public interface ICredentialSource
{
    /// <exception cref="ClusterConfigException">There are none to be had.</exception>
    ValueTask<Credentials> Get(CancellationToken cancellationToken);

    /// <summary>The server refused the last ones.</summary>
    void Forget();
}

/// <summary>Credentials that stand in the kubeconfig.</summary>
public sealed class FixedCredentials(Credentials credentials) : ICredentialSource
{
    public X509Certificate2Collection? Certificate => credentials.Certificate;

    public bool HasAuthorization => credentials.Authorization is not null;

    public ValueTask<Credentials> Get(CancellationToken cancellationToken) => ValueTask.FromResult(credentials);

    public void Forget()
    {
        // There are no others.
    }
}
