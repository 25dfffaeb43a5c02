using System.Net;
using System.Net.Sockets;
using System.Text;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>
/// /healthz (the process answers), /readyz (it can do its work, else the sentence why not) and /metrics, for probes and scrapers.
/// Reads nothing of a request but its path.
/// </summary>
public sealed class HttpEndpoint : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<CancellationToken, ValueTask<string?>> _whyNotReady;

    /// <param name="address">"ADDRESS:PORT" or ":PORT".</param>
    /// <param name="whyNotReady">Null when ready.</param>
    public HttpEndpoint(string address, Func<CancellationToken, ValueTask<string?>> whyNotReady)
    {
        _whyNotReady = whyNotReady;
        var (host, port) = Split(address);
        _listener.Prefixes.Add($"http://{host}:{port}/");
        try
        {
            _listener.Start();
        }
        catch (HttpListenerException refused)
        {
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
        using var stop = cancellationToken.Register(Dispose);
        while (!cancellationToken.IsCancellationRequested)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync().ConfigureAwait(false);
            }
            catch (Exception stopped) when (cancellationToken.IsCancellationRequested || stopped is HttpListenerException or ObjectDisposedException)
            {
                return; // which of its exceptions a closed listener throws depends on where it was
            }

            _ = Answer(context, cancellationToken);
        }
    }

    public void Dispose()
    {
        try
        {
            _listener.Close();
        }
        catch (SocketException)
        {
            // It shuts down a probe's connection that the other side has just closed: "transport endpoint is not connected".
        }
    }

    private static (string Host, string Port) Split(string address)
    {
        var colon = address.LastIndexOf(':');
        var host = address[..colon];
        return (host is "" or "0.0.0.0" or "[::]" ? "*" : host, address[(colon + 1)..]);
    }

    private async Task Answer(HttpListenerContext context, CancellationToken cancellationToken)
    {
        using var response = context.Response;
        try
        {
            switch (context.Request.Url?.AbsolutePath)
            {
                case "/healthz":
                    await Write(response, 200, "ok\n", cancellationToken).ConfigureAwait(false);
                    break;
                case "/readyz":
                    var why = await _whyNotReady(cancellationToken).ConfigureAwait(false);
                    await Write(response, why is null ? 200 : 503, $"{why ?? "ok"}\n", cancellationToken).ConfigureAwait(false);
                    break;
                case "/metrics":
                    response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                    await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(response.OutputStream, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    await Write(response, 404, "not found: there are /healthz, /readyz and /metrics\n", cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
        catch (Exception gone) when (gone is HttpListenerException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            response.Abort(); // the asker went away
        }
    }

    private static async Task Write(HttpListenerResponse response, int status, string text, CancellationToken cancellationToken)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        await response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);
    }
}
