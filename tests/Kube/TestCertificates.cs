using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KruiseImage.Tests.Kube;

/// <summary>Certificates made for this run.</summary>
internal static class TestCertificates
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned("client", key);
        (ClientCertificate, ClientKey) = (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        using var one = SelfSigned("one", key);
        using var two = SelfSigned("two", key);
        Bundle = $"# two authorities\n{one.ExportCertificatePem()}\n{two.ExportCertificatePem()}\n";
    }

    public static string Bundle { get; }

    public static string ClientCertificate { get; }

    public static string ClientKey { get; }

    /// <summary>Can sign others.</summary>
    public static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(From, From.AddYears(50));
    }

    /// <summary>Of a server, for these addresses and names.</summary>
    /// <param name="usage">The extended key usage: 1 is for servers, 2 for clients.</param>
    public static X509Certificate2 Server(X509Certificate2 authority, string[] names, int fromYear = 2021, int toYear = 2060, int usage = 1)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new($"1.3.6.1.5.5.7.3.{usage}")], false));
        using var certificate = request.Create(authority, new(fromYear, 1, 1, 0, 0, 0, TimeSpan.Zero), new(toYear, 1, 1, 0, 0, 0, TimeSpan.Zero), [1, 2, 3]);
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 SelfSigned(string name, ECDsa key) =>
        new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(From, From.AddYears(50));
}
