using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace KruiseImage.Bench;

/// <summary>The requests that the bench itself sends, counted, so that they can be taken from what the server counts.</summary>
public sealed class OwnRequests
{
    private readonly ConcurrentDictionary<RequestKind, int> sent = new();

    public IReadOnlyDictionary<RequestKind, int> Sent => sent.ToDictionary();

    public void Count(RequestKind kind) => sent.AddOrUpdate(kind, 1, static (_, count) => count + 1);
}

/// <summary>The API as one identity, without anything between a request and its bytes: what the floor and the hollow daemons send.</summary>
public sealed class RawApi(HttpClient client, OwnRequests own) : IDisposable
{
    public const string NodeImages = "/apis/apps.kruise.io/v1beta1/nodeimages";

    public Task<byte[]> CreateAsync(string path, byte[] body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, "POST", path, body, "application/json", cancellationToken);

    public Task<byte[]> JsonPatchAsync(string path, byte[] body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, "PATCH", path, body, "application/json-patch+json", cancellationToken);

    public Task<byte[]> MergePatchAsync(string path, byte[] body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, "PATCH", path, body, "application/merge-patch+json", cancellationToken);

    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        own.Count(new("DELETE", ResourceOf(path)));
        using var response = await client.DeleteAsync(path, cancellationToken);
        if (response.StatusCode != HttpStatusCode.NotFound)
            await ReadAsync(response, path, cancellationToken);
    }

    /// <summary>Null when there is no such object.</summary>
    public async Task<JsonNode?> GetAsync(string path, CancellationToken cancellationToken)
    {
        own.Count(new(RequestKind.Read, ResourceOf(path)));
        using var response = await client.GetAsync(path, cancellationToken);
        return response.StatusCode == HttpStatusCode.NotFound ? null : JsonNode.Parse(await ReadAsync(response, path, cancellationToken));
    }

    public async Task<JsonNode> ListAsync(string path, CancellationToken cancellationToken)
    {
        own.Count(new(RequestKind.Read, ResourceOf(path)));
        using var response = await client.GetAsync(path, cancellationToken);
        return JsonNode.Parse(await ReadAsync(response, path, cancellationToken))!;
    }

    public Task<string> MetricsAsync(CancellationToken cancellationToken) => client.GetStringAsync("/metrics", cancellationToken);

    /// <summary>The body of a watch, which the caller reads and disposes of. It lasts for a day if nobody ends it.</summary>
    public async Task<Stream> WatchAsync(string path, string resourceVersion, CancellationToken cancellationToken)
    {
        own.Count(new("WATCH", ResourceOf(path)));
        var request = new HttpRequestMessage(HttpMethod.Get, $"{path}?watch=1&timeoutSeconds=86400&resourceVersion={resourceVersion}");
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken);
    }

    public void Dispose() => client.Dispose();

    /// <summary>"/api/v1/nodes/x/status" is about "nodes/status".</summary>
    public static string ResourceOf(string path)
    {
        var steps = path.Split('?')[0].Split('/', StringSplitOptions.RemoveEmptyEntries).Skip(path.StartsWith("/apis/", StringComparison.Ordinal) ? 3 : 2).ToList();
        if (steps is ["namespaces", _, _, ..])
            steps.RemoveRange(0, 2);
        return steps.Count > 2 ? $"{steps[0]}/{steps[2]}" : steps[0];
    }

    private async Task<byte[]> SendAsync(HttpMethod method, string verb, string path, byte[] body, string contentType, CancellationToken cancellationToken)
    {
        own.Count(new(verb, ResourceOf(path)));
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } } };
        using var response = await client.SendAsync(request, cancellationToken);
        return await ReadAsync(response, path, cancellationToken);
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return response.IsSuccessStatusCode ? body : throw new HttpRequestException($"{response.RequestMessage?.Method} {path}: {System.Text.Encoding.UTF8.GetString(body)}", null, response.StatusCode);
    }
}
