using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KruiseImage.Bed;

/// <summary>A certificate authority for one bed, and the server certificate it signs for loopback.</summary>
public sealed class Certificates : IDisposable
{
    private readonly X509Certificate2 authority;

    public Certificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kruise-image bed", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(7));
    }

    public string AuthorityPem => authority.ExportCertificatePem();

    /// <summary>Writes <c>NAME.crt</c> and <c>NAME.key</c>, valid for 127.0.0.1 and localhost and for nothing else.</summary>
    public void WriteServer(string directory, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(directory, name + ".crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, name + ".key"), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The key that signs service account tokens; the API server wants one even when nobody asks for such a token.</summary>
    public static void WriteSigningKey(string file)
    {
        using var key = RSA.Create(2048);
        File.WriteAllText(file, key.ExportRSAPrivateKeyPem());
    }

    public void Dispose() => authority.Dispose();
}
