using System.Net;
using System.Net.Sockets;
using System.Text;
using KruiseImage.Modes;
using Xunit;

namespace KruiseImage.Tests;

/// <summary>What probes, scrapers and strangers get of a mode's endpoint, on loopback.</summary>
public sealed class HttpEndpointTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "ok\n")]
    [InlineData("GET /readyz?verbose HTTP/1.0\r\n\r\n", "503 Service Unavailable", "not yet: möglich\n")]
    [InlineData("HEAD /readyz HTTP/1.1\r\n\r\n", "503 Service Unavailable", "")]
    [InlineData("GET /else HTTP/1.1\r\n\r\n", "404 Not Found", "not found: there are /healthz, /readyz and /metrics\n")]
    [InlineData("POST /healthz HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "only GET is answered\n")]
    [InlineData("\u0016\u0003\u0001 hello\r\n\r\n", "400 Bad Request", "this is no HTTP request\n")]
    public Task Each_path_has_its_answer(string request, string status, string body) => Serve(async port =>
    {
        var answer = await Ask(port, request);
        Assert.StartsWith($"HTTP/1.1 {status}\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith($"\r\n\r\n{body}", answer, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_usual_client_reads_the_metrics() => Serve(async port =>
    {
        ProcessMetrics.Publish("test");
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/metrics"), None);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Contains("kruise_image_build_info{", await answer.Content.ReadAsStringAsync(None), StringComparison.Ordinal);
    });

    /// <summary>Sixty-four who say nothing would keep the kubelet's probe out for as long as they are given.</summary>
    [Fact]
    public Task Who_closes_early_or_says_too_much_takes_no_place() => Serve(async port =>
    {
        for (var i = 0; i < 70; i++)
        {
            Assert.Equal("", await Ask(port, "GET /healthz HTTP/1.1\r\n"));
            if (i % 10 == 0) Assert.Equal("", await Ask(port, $"GET /{new string('x', 20_000)}"));
        }
        Assert.EndsWith("\r\n\r\nok\n", await Ask(port, "GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
    });

    [Fact]
    public Task A_port_that_is_taken_is_said() => Serve(port =>
    {
        var refused = Assert.Throws<CommandException>(() => new HttpEndpoint($"127.0.0.1:{port}", _ => ValueTask.FromResult<string?>(null)));
        Assert.Equal($"cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --listen", refused.Message);
        return Task.CompletedTask;
    });

    private static async Task Serve(Func<int, Task> test)
    {
        var port = FreePort();
        using var endpoint = new HttpEndpoint($"127.0.0.1:{port}", _ => ValueTask.FromResult<string?>("not yet: möglich"));
        using var stop = new CancellationTokenSource();
        var serving = endpoint.Run(stop.Token);
        await test(port);
        await stop.CancelAsync();
        await serving;
    }

    /// <summary>What comes until the other side closes; nothing when it cuts us off.</summary>
    private static async Task<string> Ask(int port, string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, None);
        using var stream = new NetworkStream(socket); // before the shutdown, after which .NET takes the socket for unconnected
        try
        {
            await socket.SendAsync(Encoding.Latin1.GetBytes(request), None);
            socket.Shutdown(SocketShutdown.Send);
            using var answer = new MemoryStream();
            await stream.CopyToAsync(answer, None);
            return Encoding.UTF8.GetString(answer.ToArray());
        }
        catch (Exception cut) when (cut is SocketException or IOException)
        {
            return "";
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
