using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>How a registry asks who is there.</summary>
/// <param name="Configuration">The part of its configuration that says so.</param>
/// <param name="Pusher">What the bed shows when it pushes into a repository.</param>
public sealed record RegistryAuthentication(string Configuration, Func<string, AuthenticationHeaderValue> Pusher);

/// <summary>docker-registry, on loopback unless told otherwise, with storage in a directory, and the few requests that push an image into it.</summary>
public sealed class Registry : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServerProcess server;
    private readonly RegistryAuthentication? authentication;

    public Registry(string name, string bedDirectory, string logDirectory, RegistryAuthentication? authentication = null, IPAddress? address = null)
    {
        this.authentication = authentication;
        Address = new Uri($"http://{address ?? IPAddress.Loopback}:{Ports.Free()}");
        client.BaseAddress = Address;
        var directory = Directory.CreateDirectory(Path.Combine(bedDirectory, name)).FullName;
        var configuration = Path.Combine(directory, "config.yaml");
        File.WriteAllText(configuration, $"""
            version: 0.1
            log:
              accesslog:
                disabled: true
            http:
              addr: {Address.Authority}
              secret: {RandomNumberGenerator.GetHexString(16)}
            storage:
              filesystem:
                rootdirectory: {directory}/storage
              maintenance:
                uploadpurging:
                  enabled: false
            {authentication?.Configuration}
            """);
        server = new ServerProcess(name, logDirectory, Parts.Find("docker-registry"), "serve", configuration);
    }

    public Uri Address { get; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        server.Start();
        await server.ReadyAsync(TimeSpan.FromSeconds(30), async token =>
        {
            using var response = await client.GetAsync("/v2/", token);
            return response.IsSuccessStatusCode || (authentication is not null && response.StatusCode == HttpStatusCode.Unauthorized);
        }, cancellationToken);
    }

    /// <summary>Pushes the image as <c>repository:tag</c>.</summary>
    public async Task PushAsync(string repository, string tag, ImageContent image, CancellationToken cancellationToken)
    {
        foreach (var (digest, content) in image.Blobs)
            await PushBlobAsync(repository, digest, content, cancellationToken);
        await PutManifestAsync(repository, tag, ImageContent.ManifestType, image.Manifest, cancellationToken);
    }

    /// <summary>Pushes an index as <c>repository:tag</c> that has the image for another architecture than ours only.</summary>
    public async Task PushForArchitectureAsync(string repository, string tag, ImageContent image, string architecture, CancellationToken cancellationToken)
    {
        await PushAsync(repository, image.ManifestDigest, image, cancellationToken);
        await PutManifestAsync(repository, tag, ImageContent.IndexType, ImageContent.Index(image.Manifest, architecture), cancellationToken);
    }

    /// <summary>Pushes what the OCI layout in the directory has, as <c>repository:tag</c>, as any tool would: nothing is made anew.</summary>
    /// <returns>The digest.</returns>
    public async Task<string> PushLayoutAsync(string repository, string tag, string directory, CancellationToken cancellationToken)
    {
        byte[] Blob(JsonNode descriptor) => File.ReadAllBytes(Path.Combine(directory, "blobs", descriptor.Text("digest").Replace(':', '/')));
        var root = JsonNode.Parse(await File.ReadAllBytesAsync(Path.Combine(directory, "index.json"), cancellationToken))!["manifests"]!.AsArray().Single()!;
        var index = Blob(root);
        foreach (var descriptor in JsonNode.Parse(index)!["manifests"]!.AsArray())
        {
            var manifest = Blob(descriptor!);
            var parts = JsonNode.Parse(manifest)!;
            foreach (var blob in parts["layers"]!.AsArray().Append(parts["config"]))
                await PushBlobAsync(repository, blob!.Text("digest"), Blob(blob!), cancellationToken);
            await PutManifestAsync(repository, descriptor!.Text("digest"), descriptor!.Text("mediaType"), manifest, cancellationToken);
        }
        await PutManifestAsync(repository, tag, root.Text("mediaType"), index, cancellationToken);
        return root.Text("digest");
    }

    public void Dispose()
    {
        server.Dispose();
        client.Dispose();
    }

    private async Task PushBlobAsync(string repository, string digest, byte[] content, CancellationToken cancellationToken)
    {
        using var started = await SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/", repository, null, cancellationToken);
        var location = started.Headers.Location!.ToString();
        var separator = location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var uploaded = await SendAsync(HttpMethod.Put, $"{location}{separator}digest={digest}", repository, body, cancellationToken);
    }

    private async Task PutManifestAsync(string repository, string reference, string mediaType, byte[] content, CancellationToken cancellationToken)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var response = await SendAsync(HttpMethod.Put, $"/v2/{repository}/manifests/{reference}", repository, body, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string uri, string repository, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, uri) { Content = content };
        request.Headers.Authorization = authentication?.Pusher(repository);
        var response = await client.SendAsync(request, cancellationToken);
        return response.EnsureSuccessStatusCode();
    }
}
