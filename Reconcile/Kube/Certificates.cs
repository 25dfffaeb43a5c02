using System.Security.Cryptography.X509Certificates;

namespace KruiseImage.Reconcile.Kube;

/// <summary>PEM to certificates: whole bundles, not only their first.</summary>
public static class Certificates
{
    public static X509Certificate2Collection Authorities(string pem)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(pem);
        return authorities.Count > 0 ? authorities : throw new ArgumentException("it holds no certificate");
    }

    /// <summary>The leaf with its key first, then the intermediates that the PEM holds.</summary>
    public static X509Certificate2Collection WithKey(string certificatePem, string keyPem)
    {
        var chain = Authorities(certificatePem);
        chain[0].Dispose();
        chain[0] = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        return chain;
    }
}
