using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace KruiseImage.Bed;

/// <summary>docker-registry, on loopback unless told otherwise, with storage in a directory, and the few requests that push an image into it.</summary>
public sealed class Registry : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServerProcess server;

    public Registry(string bedDirectory, string logDirectory, IPAddress? address = null)
    {
        Address = new Uri($"http://{address ?? IPAddress.Loopback}:{Ports.Free()}");
        client.BaseAddress = Address;
        var directory = Directory.CreateDirectory(Path.Combine(bedDirectory, "registry")).FullName;
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
            """);
        server = new ServerProcess("registry", logDirectory, Parts.Find("docker-registry"), "serve", configuration);
    }

    public Uri Address { get; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        server.Start();
        await server.ReadyAsync(TimeSpan.FromSeconds(30), async token =>
        {
            using var response = await client.GetAsync("/v2/", token);
            return response.IsSuccessStatusCode;
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
        await PutManifestAsync(repository, tag, "application/vnd.oci.image.index.v1+json", ImageContent.Index(image.Manifest, architecture), cancellationToken);
    }

    public void Dispose()
    {
        server.Dispose();
        client.Dispose();
    }

    private async Task PushBlobAsync(string repository, string digest, byte[] content, CancellationToken cancellationToken)
    {
        using var started = await client.PostAsync($"/v2/{repository}/blobs/uploads/", null, cancellationToken);
        var location = started.EnsureSuccessStatusCode().Headers.Location!.ToString();
        var separator = location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var uploaded = await client.PutAsync($"{location}{separator}digest={digest}", body, cancellationToken);
        uploaded.EnsureSuccessStatusCode();
    }

    private async Task PutManifestAsync(string repository, string reference, string mediaType, byte[] content, CancellationToken cancellationToken)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var response = await client.PutAsync($"/v2/{repository}/manifests/{reference}", body, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
