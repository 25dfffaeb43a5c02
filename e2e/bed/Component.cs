namespace KruiseImage.Bed;

/// <summary>
/// One process of the product: a controller or a daemon, from the native executable. As in our image there are no certificates of public
/// authorities, which OpenSSL would read at each start: neither mode needs them.
/// </summary>
public sealed class Component : IDisposable
{
    private static readonly string[] asInOurImage = ["SSL_CERT_FILE=/none", "SSL_CERT_DIR=/none"];
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false });

    public Component(string name, string logDirectory, params string[] arguments)
    {
        Listen = new Uri($"http://127.0.0.1:{Ports.Free()}");
        Server = new ServerProcess(name, logDirectory, "/usr/bin/env", [.. asInOurImage, Parts.Product, .. arguments, "--listen", Listen.Authority]) { RestartsByItself = true };
    }

    public string Name => Server.Name;

    public Uri Listen { get; }

    public ServerProcess Server { get; }

    /// <summary>Returns when <c>/readyz</c> says yes.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Server.Start();
        await Server.ReadyAsync(TimeSpan.FromSeconds(30), IsReadyAsync, cancellationToken);
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(new Uri(Listen, "/readyz"), cancellationToken);
        return response.IsSuccessStatusCode;
    }

    public Task<string> MetricsAsync(CancellationToken cancellationToken) => GetAsync("/metrics", cancellationToken);

    public Task<string> GetAsync(string path, CancellationToken cancellationToken) => client.GetStringAsync(new Uri(Listen, path), cancellationToken);

    /// <summary>The value of a metric without labels, or null.</summary>
    public async Task<double?> MetricAsync(string name, CancellationToken cancellationToken) =>
        PrometheusText.Read(await MetricsAsync(cancellationToken), name).FirstOrDefault(sample => sample.Labels.Count == 0)?.Value;

    public void Dispose()
    {
        Server.Dispose();
        client.Dispose();
    }
}
