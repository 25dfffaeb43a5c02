using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>The API server as the bed and its scenarios see it: plain JSON over HTTP. kubectl needs 100 ms for what this does in 2.</summary>
public sealed class KubeApi : IDisposable
{
    private readonly HttpClient client;

    /// <param name="userAgent">By which the audit log knows the requests.</param>
    public KubeApi(Uri server, string authorityPem, string token, string? userAgent = null) => client = Connect(server, authorityPem, token, userAgent);

    /// <summary>The API behind a proxy that has credentials of its own, as <c>kubectl proxy</c> is.</summary>
    public KubeApi(Uri proxy) => client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = proxy };

    public static HttpClient Connect(Uri server, string authorityPem, string token, string? userAgent)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(authorityPem);
        var handler = new SocketsHttpHandler { UseProxy = false, SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy } };
        var client = new HttpClient(handler) { BaseAddress = server };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (userAgent is not null)
            client.DefaultRequestHeaders.UserAgent.ParseAdd(userAgent);
        return client;
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync("/readyz", cancellationToken);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Null when there is no such object.</summary>
    public async Task<JsonNode?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(path, cancellationToken);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync(response, cancellationToken);
    }

    public async Task<IReadOnlyList<JsonNode>> ListAsync(string path, CancellationToken cancellationToken) =>
        await GetAsync(path, cancellationToken) is { } list ? [.. list["items"]!.AsArray().Select(item => item!)] : [];

    public Task<JsonNode> CreateAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, body, "application/json", cancellationToken);

    public Task<JsonNode> ReplaceAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, body, "application/json", cancellationToken);

    public Task<JsonNode> MergePatchAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, path, body, "application/merge-patch+json", cancellationToken);

    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await client.DeleteAsync(path, cancellationToken);
        if (response.StatusCode != HttpStatusCode.NotFound)
            await ReadAsync(response, cancellationToken);
    }

    /// <summary>The events of a watch as they come; it ends with the connection.</summary>
    public async IAsyncEnumerable<JsonNode> WatchAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path + "?watch=1");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using var reader = new StreamReader(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
            yield return JsonNode.Parse(line)!;
    }

    public void Dispose() => client.Dispose();

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode body, string contentType, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, contentType) };
        using var response = await client.SendAsync(request, cancellationToken);
        return await ReadAsync(response, cancellationToken);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? JsonNode.Parse(body)!
            : throw new HttpRequestException($"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.PathAndQuery}: {body}", null, response.StatusCode);
    }
}
