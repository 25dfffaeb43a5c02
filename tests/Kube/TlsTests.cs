using System.Security.Cryptography.X509Certificates;
using System.Text;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Tidy;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>To whom the client shows its token: the API server that the kubeconfig means, and nobody else, whatever stands in between.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly X509Certificate2 _authority = TestCertificates.Authority("ours");
    private readonly X509Certificate2 _stranger = TestCertificates.Authority("ours"); // its name is no proof

    private static CancellationToken None => TestContext.Current.CancellationToken;

    public static readonly TheoryData<string, string> Refused = new()
    {
        { "another authority of the same name", "its certificate is not signed by the certificate authority that the kubeconfig names" },
        { "another authority", "its certificate is not signed by the certificate authority that the kubeconfig names" },
        { "another address", "its certificate is for another name than \"127.0.0.1\"" },
        { "expired", "its certificate is expired or not valid yet" },
        { "not valid yet", "its certificate is expired or not valid yet" },
        { "of a client", "certificate" },
        { "another tls-server-name", "its certificate is for another name" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_server_that_cannot_prove_itself_sees_no_token(string what, string sentence)
    {
        using var certificate = what switch
        {
            "another authority of the same name" => TestCertificates.Server(_stranger, ["127.0.0.1"]),
            "another authority" => TestCertificates.Server(TestCertificates.Authority("theirs"), ["127.0.0.1"]),
            "another address" => TestCertificates.Server(_authority, ["127.0.0.2", "localhost"]),
            "expired" => TestCertificates.Server(_authority, ["127.0.0.1"], toYear: 2022),
            "not valid yet" => TestCertificates.Server(_authority, ["127.0.0.1"], fromYear: 2055),
            "of a client" => TestCertificates.Server(_authority, ["127.0.0.1"], usage: 2),
            _ => TestCertificates.Server(_authority, ["127.0.0.1"]),
        };
        await using var server = new CannedServer(certificate, CannedServer.Json(200, "{}"));
        using var client = server.Client(cluster: Trusting(_authority) + (what == "another tls-server-name" ? ", tls-server-name: api.test" : ""));
        var answer = await client.Get(Resources.Nodes, null, "n", None);
        Assert.Equal(ApiError.Unavailable, answer.Error);
        Assert.True(answer.Message.Contains(sentence, StringComparison.Ordinal), answer.Message);
        Assert.DoesNotContain(server.Requests, request => request.Length > 0);

        var watch = await client.Watch(Resources.Nodes, new ListQuery(), None);
        Assert.Equal(ApiError.Unavailable, watch.Error);
        Assert.DoesNotContain(server.Requests, request => request.Length > 0);
    }

    [Theory]
    [InlineData("127.0.0.1", "")]
    [InlineData("api.test", ", tls-server-name: api.test")]
    public async Task A_server_that_can_is_believed(string name, string field)
    {
        using var certificate = TestCertificates.Server(_authority, [name]);
        await using var server = new CannedServer(certificate, CannedServer.Json(200, "{}"));
        using var client = server.Client(cluster: Trusting(_authority) + field);
        Assert.True((await client.Get(Resources.Nodes, null, "n", None)).IsOk);
        Assert.Contains("Authorization: Bearer secret\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    /// <summary>Without an authority in the kubeconfig the system's count, which do not know ours.</summary>
    [Fact]
    public async Task No_authority_does_not_mean_any()
    {
        using var certificate = TestCertificates.Server(_authority, ["127.0.0.1"]);
        await using var server = new CannedServer(certificate, CannedServer.Json(200, "{}"));
        using var client = server.Client();
        Assert.Equal(ApiError.Unavailable, (await client.Get(Resources.Nodes, null, "n", None)).Error);
        Assert.DoesNotContain(server.Requests, request => request.Length > 0);
    }

    [Fact]
    public async Task Only_who_asks_to_skip_the_check_skips_it()
    {
        using var certificate = TestCertificates.Server(_stranger, ["other.test"], toYear: 2022);
        await using var server = new CannedServer(certificate, CannedServer.Json(200, "{}"));
        using var client = server.Client(cluster: ", insecure-skip-tls-verify: true");
        Assert.True((await client.Get(Resources.Nodes, null, "n", None)).IsOk);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_takes_the_token_nowhere(int status)
    {
        await using var elsewhere = new CannedServer(CannedServer.Json(200, "{}"));
        await using var server = new CannedServer(CannedServer.Json(status, "{}", $"Location: {elsewhere.Url}/api/v1/nodes/n\r\n"));
        using var client = server.Client();
        Assert.Equal(ApiError.Failed, (await client.Get(Resources.Nodes, null, "n", None)).Error);
        Assert.Empty(elsewhere.Requests);
    }

    /// <summary>Every place where a connection begins: whoever adds one reads this file first.</summary>
    [Fact]
    public void Connections_begin_in_few_files_and_one_line_skips_the_check()
    {
        string[] words = ["SocketsHttpHandler", "HttpClientHandler", "SslStream", "new HttpClient(", "new Socket(", "TcpClient", "ClientWebSocket", "GrpcChannel.ForAddress"];
        var places = SourceFile.Ours.Where(file => words.Any(word => file.Code.Contains(word, StringComparison.Ordinal))).Select(file => file.Path);
        string[] known =
        [
            "Cri/RuntimeClient.cs", "Modes/Ctl/Images/RegistryClient.cs", "Modes/Ctl/OnNode/NodeSocket.cs", "Modes/HttpEndpoint.cs" /* listens */,
            "Reconcile/Kube/KubeClient.cs", "Reconcile/Kube/KubeTransport.cs",
        ];
        Assert.Equal(known, places.Order(StringComparer.Ordinal));
        string[] callbacks = ["CertificateValidationCallback", "CertificateCustomValidation", "DangerousAcceptAny", "ServicePointManager", "VerificationFlags"];
        var skipping = from file in SourceFile.Ours
                       from line in file.Code.Split('\n')
                       where callbacks.Any(word => line.Contains(word, StringComparison.Ordinal))
                       select $"{file}: {line.Trim()}";
        Assert.Equal(["Reconcile/Kube/KubeTransport.cs: if (config.SkipsVerification) tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;"], skipping);
        // The runtime's is a unix socket, whatever the address says.
        foreach (var place in (string[])["Cri/RuntimeClient.cs", "Modes/Ctl/OnNode/NodeSocket.cs"])
            Assert.Contains(SourceFile.Ours.Single(file => file.Path == place).Code.Split('\n'), line => line.Contains("AddressFamily.Unix", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    private static string Trusting(X509Certificate2 authority) => $", certificate-authority-data: {Convert.ToBase64String(Encoding.ASCII.GetBytes(authority.ExportCertificatePem()))}";
}
