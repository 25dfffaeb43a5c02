using System.Net;
using System.Net.Sockets;
using System.Text;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Kube;

/// <summary>An HTTP server on loopback that answers each request with the next of its texts and remembers what it was asked.</summary>
internal sealed class CannedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<string> _answers;
    private readonly Task _serving;
    private readonly string _kubeconfig = Path.GetTempFileName();

    /// <param name="answers">Whole HTTP answers; "" closes the connection without one.</param>
    public CannedServer(params string[] answers)
    {
        _answers = new Queue<string>(answers);
        _listener.Start();
        Url = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _serving = Serve();
    }

    public string Url { get; }

    /// <summary>Request line, headers and body of each.</summary>
    public List<string> Requests { get; } = [];

    public static string Json(int status, string body, string headers = "") =>
        $"HTTP/1.1 {status} Text\r\nContent-Type: application/json\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}";

    public static string Status(int code, string reason, string message, string details = "{}") =>
        Json(code, $$"""{"kind":"Status","code":{{code}},"reason":"{{reason}}","message":"{{message}}","details":{{details}}}""");

    /// <param name="path">Where on this host the API begins.</param>
    public KubeClient Client(string path = "")
    {
        File.WriteAllText(_kubeconfig, $$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: "{{{Url}}}{{{path}}}"}}]
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
                await Answer(connection.GetStream());
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or IOException)
        {
            // The test is over.
        }
    }

    private async Task Answer(NetworkStream stream)
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
