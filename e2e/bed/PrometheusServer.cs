using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>A real Prometheus that scrapes the product's processes each second and evaluates the alerts that are shipped.</summary>
public sealed class PrometheusServer : IDisposable
{
    private static readonly TimeSpan answerTime = TimeSpan.FromSeconds(60);

    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServerProcess server;

    public PrometheusServer(string directory, string logDirectory, IEnumerable<Component> components)
    {
        client.BaseAddress = new Uri($"http://127.0.0.1:{Ports.Free()}");
        var configuration = Path.Combine(directory, "prometheus.yaml");
        File.WriteAllText(configuration, $$"""
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: ['{{Path.Combine(Parts.Manifests, "monitoring/alerts.yaml")}}']
            scrape_configs:
            - job_name: kruise-image
              static_configs: [{targets: [{{string.Join(", ", components.Select(component => $"'{component.Listen.Authority}'"))}}]}]
            """);
        server = new ServerProcess("prometheus", logDirectory, Parts.Find("prometheus"), "--config.file", configuration,
            "--storage.tsdb.path", Path.Combine(directory, "prometheus"), "--web.listen-address", client.BaseAddress.Authority);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        server.Start();
        await server.ReadyAsync(answerTime, async token =>
        {
            using var response = await client.GetAsync("/-/ready", token);
            return response.IsSuccessStatusCode;
        }, cancellationToken);
    }

    /// <summary>The answer's samples. A query that Prometheus does not understand throws, with its sentence.</summary>
    public async Task<JsonArray> QueryAsync(string query, CancellationToken cancellationToken) =>
        (await GetAsync("/api/v1/query?query=" + Uri.EscapeDataString(query), cancellationToken))["result"]!.AsArray();

    /// <summary>The alerting rules with their health and state.</summary>
    public async Task<IReadOnlyList<JsonNode>> RulesAsync(CancellationToken cancellationToken) =>
        [.. (await GetAsync("/api/v1/rules", cancellationToken))["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray())!];

    public void Dispose()
    {
        server.Dispose();
        client.Dispose();
    }

    private async Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(path, cancellationToken);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!;
        return answer.Text("status") == "success" ? answer["data"]! : throw new BedException($"{path}: {answer.Text("error")}");
    }
}
