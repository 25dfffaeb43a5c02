using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Kube;

/// <summary>An HTTP server on loopback that answers each request with the next of its texts and remembers what it was asked.</summary>
internal sealed class CannedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2? _certificate;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<string> _answers;
    private readonly Task _serving;
    private readonly string _kubeconfig = Path.GetTempFileName();

    /// <param name="answers">Whole HTTP answers; "" closes the connection without one.</param>
    public CannedServer(params string[] answers)
        : this(null, answers)
    {
    }

    /// <param name="certificate">Null: plain HTTP.</param>
    public CannedServer(X509Certificate2? certificate, params string[] answers)
    {
        _certificate = certificate;
        _answers = new Queue<string>(answers);
        _listener.Start();
        Url = $"{(certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _serving = Serve();
    }

    public string Url { get; }

    /// <summary>Connections that ended in the handshake or right after it.</summary>
    public int Refusals { get; private set; }

    /// <summary>Request line, headers and body of each.</summary>
    public List<string> Requests { get; } = [];

    public static string Json(int status, string body, string headers = "") =>
        $"HTTP/1.1 {status} Text\r\nContent-Type: application/json\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}";

    public static string Status(int code, string reason, string message, string details = "{}") =>
        Json(code, $$"""{"kind":"Status","code":{{code}},"reason":"{{reason}}","message":"{{message}}","details":{{details}}}""");

    /// <param name="path">Where on this host the API begins.</param>
    /// <param name="cluster">More fields of the kubeconfig's cluster, each after a comma.</param>
    public KubeClient Client(string path = "", string cluster = "")
    {
        File.WriteAllText(_kubeconfig, $$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: "{{{Url}}}{{{path}}}"{{{cluster}}}}}]
            users: [{name: u, user: {token: secret}}]
            """);
        return new KubeClient(ClusterConfig.Load(_kubeconfig, null), "kruise-image-test/1.2.3");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Stop();
        _stop.Dispose();
        File.Delete(_kubeconfig);
    }

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptTcpClientAsync(_stop.Token);
                if (_certificate is null) await Answer(connection.GetStream());
                else await AnswerEncrypted(connection.GetStream(), _certificate);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or IOException)
        {
            // The test is over.
        }
    }

    private async Task AnswerEncrypted(NetworkStream stream, X509Certificate2 certificate)
    {
        using var encrypted = new SslStream(stream);
        try
        {
            await encrypted.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stop.Token);
            await Answer(encrypted);
        }
        catch (Exception refused) when (refused is IOException or AuthenticationException)
        {
            Refusals++; // the client did not like what it saw
        }
    }

    private async Task Answer(Stream stream)
    {
        var request = new StringBuilder();
        var buffer = new byte[1 << 16];
        while (!IsWhole(request.ToString()) && await stream.ReadAsync(buffer, _stop.Token) is var read && read > 0) request.Append(Encoding.UTF8.GetString(buffer, 0, read));
        Requests.Add(request.ToString());
        await stream.WriteAsync(Encoding.UTF8.GetBytes(_answers.TryDequeue(out var answer) ? answer : ""), _stop.Token);
    }

    private static bool IsWhole(string request)
    {
        var head = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0) return false;
        var length = request.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        return length is null || request.Length - head - 4 >= int.Parse(length.AsSpan(16), System.Globalization.CultureInfo.InvariantCulture);
    }
}
