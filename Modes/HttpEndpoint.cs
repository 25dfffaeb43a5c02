using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>
/// /healthz (the process answers), /readyz (it can do its work, else the sentence why not) and /metrics, for probes and scrapers. One
/// request a connection, of which it reads nothing but method and path. HttpListener could do more, and costs each daemon for it.
/// </summary>
public sealed class HttpEndpoint : IDisposable
{
    private const int LongestRequest = 16 << 10;
    private const int MostConnections = 64;

    /// <summary>For a whole exchange: who is slower gives way to others.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Socket _listener;
    private readonly SemaphoreSlim _free = new(MostConnections);
    private readonly Func<CancellationToken, ValueTask<string?>> _whyNotReady;

    /// <param name="address">"ADDRESS:PORT" or ":PORT".</param>
    /// <param name="whyNotReady">Null when ready.</param>
    public HttpEndpoint(string address, Func<CancellationToken, ValueTask<string?>> whyNotReady)
    {
        _whyNotReady = whyNotReady;
        var endpoint = Parse(address);
        _listener = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any)) _listener.DualMode = true;
            _listener.Bind(endpoint);
            _listener.Listen();
        }
        catch (SocketException refused)
        {
            _listener.Dispose();
            throw CommandException.Failed($"cannot listen on {address}: {refused.Message}; choose another with --listen");
        }
    }

    /// <summary>Does the work of a mode and answers probes for as long as it lasts.</summary>
    public static async Task Beside(
        Func<CancellationToken, Task> work, string address, Func<CancellationToken, ValueTask<string?>> whyNotReady, CancellationToken cancellationToken)
    {
        using var endpoint = new HttpEndpoint(address, whyNotReady);
        using var ended = new CancellationTokenSource();
        var serving = endpoint.Run(ended.Token);
        await work(cancellationToken).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await serving.ConfigureAwait(false);
    }

    /// <summary>Null when the text can be listened on, else the sentence why not.</summary>
    public static string? AddressError(string address)
    {
        var colon = address.LastIndexOf(':');
        var isPort = colon >= 0 && ushort.TryParse(address.AsSpan(colon + 1), out var port) && port > 0;
        var host = colon > 0 ? address[..colon].Trim('[', ']') : "";
        return isPort && (host.Length == 0 || IPAddress.TryParse(host, out _)) ? null : $"'{address}' is not ADDRESS:PORT, such as 127.0.0.1:8080 or :8080";
    }

    public async Task Run(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
                _ = Answer(await _listener.AcceptAsync(cancellationToken).ConfigureAwait(false), cancellationToken);
            }
            catch (SocketException)
            {
                _free.Release(); // whoever asked was gone before we looked, or descriptors are short for a moment
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>"GET /healthz HTTP/1.1…" are GET and "/healthz"; null when it does not begin as a request does.</summary>
    internal static (string Method, string Path)? RequestLine(ReadOnlySpan<byte> head)
    {
        var end = head.IndexOf((byte)'\n');
        if (end < 0) return null;
        var words = Encoding.ASCII.GetString(head[..end]).TrimEnd('\r').Split(' ');
        return words is [var method, ['/', ..] target, ['H', 'T', 'T', 'P', '/', '1', ..]] ? (method, target.Split('?')[0]) : null;
    }

    private static IPEndPoint Parse(string address)
    {
        var colon = address.LastIndexOf(':');
        var host = address[..colon].Trim('[', ']');
        var any = Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        return new IPEndPoint(host is "" or "0.0.0.0" or "::" ? any : IPAddress.Parse(host), ushort.Parse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }

    private async Task Answer(Socket connection, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var buffer = ArrayPool<byte>.Shared.Rent(LongestRequest);
        try
        {
            var length = await ReceiveHead(connection, buffer, patience.Token).ConfigureAwait(false);
            if (length == 0) return; // a port scan, or a connection opened in advance
            var request = RequestLine(buffer.AsSpan(0, length));
            var (status, type, body) = await Reply(request, patience.Token).ConfigureAwait(false);
            var head = $"HTTP/1.1 {status}\r\nContent-Type: {type}; charset=utf-8\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
            await Send(connection, Encoding.ASCII.GetBytes(head), patience.Token).ConfigureAwait(false);
            if (request?.Method != "HEAD") await Send(connection, body, patience.Token).ConfigureAwait(false);
            connection.Shutdown(SocketShutdown.Send);
            await connection.ReceiveAsync(buffer.AsMemory(), patience.Token).ConfigureAwait(false); // closed before it was read, an answer may be lost
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException)
        {
            // The asker went away, was too slow, or we stop: nobody waits for the rest.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            connection.Dispose();
            _free.Release();
        }
    }

    /// <summary>How many bytes of the buffer hold the request up to its empty line; 0 when it ends before, or is too long.</summary>
    private static async Task<int> ReceiveHead(Socket connection, byte[] buffer, CancellationToken cancellationToken)
    {
        for (var length = 0; length < LongestRequest;)
        {
            var received = await connection.ReceiveAsync(buffer.AsMemory(length, LongestRequest - length), cancellationToken).ConfigureAwait(false);
            if (received == 0) return 0;
            length += received;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0) return length;
        }

        return 0;
    }

    private static async Task Send(Socket connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0) bytes = bytes[await connection.SendAsync(bytes, cancellationToken).ConfigureAwait(false)..];
    }

    private async Task<(string Status, string Type, ReadOnlyMemory<byte> Body)> Reply((string Method, string Path)? request, CancellationToken cancellationToken)
    {
        switch (request)
        {
            case null:
                return Text("400 Bad Request", "this is no HTTP request\n");
            case { Method: not ("GET" or "HEAD") }:
                return Text("405 Method Not Allowed", "only GET is answered\n");
            case { Path: "/healthz" }:
                return Text("200 OK", "ok\n");
            case { Path: "/readyz" }:
                var why = await _whyNotReady(cancellationToken).ConfigureAwait(false);
                return Text(why is null ? "200 OK" : "503 Service Unavailable", $"{why ?? "ok"}\n");
            case { Path: "/metrics" }:
                using (var text = new MemoryStream())
                {
                    await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, cancellationToken).ConfigureAwait(false);
                    return ("200 OK", "text/plain; version=0.0.4", text.ToArray());
                }

            default:
                return Text("404 Not Found", "not found: there are /healthz, /readyz and /metrics\n");
        }
    }

    private static (string Status, string Type, ReadOnlyMemory<byte> Body) Text(string status, string text) => (status, "text/plain", Encoding.UTF8.GetBytes(text));
}
