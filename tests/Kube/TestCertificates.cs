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

    private static X509Certificate2 SelfSigned(string name, ECDsa key) =>
        new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(From, From.AddYears(50));
}
