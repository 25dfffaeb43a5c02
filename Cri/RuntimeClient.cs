using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using KruiseImage.Crds;
using KruiseImage.Cri.Protos.Runtime;

namespace KruiseImage.Cri;

/// <summary>
/// The CRI of one socket: one channel, its calls, their failures as values. Made by <see cref="NodeRuntime"/>. It never retries,
/// and logs nothing: its requests hold credentials. A pull has no deadline here; the pull table ends it.
/// </summary>
public sealed class RuntimeClient : IDisposable
{
    /// <summary>For everything but pulls: these calls answer from memory.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly GrpcChannel _channel;
    private readonly TimeProvider _clock;
    private readonly RuntimeService.RuntimeServiceClient _runtime;
    private readonly ImageService.ImageServiceClient _images;

    public RuntimeClient(RuntimeEndpoint endpoint, LeaseMark mark, TimeProvider clock)
    {
        Endpoint = endpoint;
        _clock = clock;
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = (_, cancellationToken) => Connect(endpoint, cancellationToken) },
            DisposeHttpClient = true,
            ThrowOperationCanceledOnCancellation = true,
            MaxReceiveMessageSize = 16 << 20,
        });
        _runtime = new RuntimeService.RuntimeServiceClient(_channel);
        _images = new ImageService.ImageServiceClient(_channel);
        Content = new ContentClient(_channel, clock);
        Leases = new ContentLeases(_channel, mark, clock);
    }

    public RuntimeEndpoint Endpoint { get; }

    public ContentClient Content { get; }

    public ContentLeases Leases { get; }

    /// <summary>"containerd 1.7.24". The socket is there long before this answers.</summary>
    public Task<RuntimeAnswer<string>> Version(TimeSpan timeout, CancellationToken cancellationToken) => Call(async () =>
    {
        var version = await _runtime.VersionAsync(new VersionRequest(), deadline: In(timeout), cancellationToken: cancellationToken).ConfigureAwait(false);
        return $"{version.RuntimeName} {version.RuntimeVersion}";
    }, "", cancellationToken);

    public Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken) => Call(async () =>
    {
        var request = new ImageStatusRequest { Image = new() { Image = reference } };
        var answer = await _images.ImageStatusAsync(request, deadline: In(CallTimeout), cancellationToken: cancellationToken).ConfigureAwait(false);
        return answer.Image is { } image ? new PresentImage(ImageId(image, reference), (long)image.Size) : null;
    }, reference, cancellationToken);

    public Task<RuntimeAnswer<IReadOnlyList<RuntimeImage>>> Images(CancellationToken cancellationToken) => Call<IReadOnlyList<RuntimeImage>>(async () =>
    {
        var answer = await _images.ListImagesAsync(new ListImagesRequest(), deadline: In(CallTimeout), cancellationToken: cancellationToken).ConfigureAwait(false);
        return [.. answer.Images.Select(image => new RuntimeImage(image.Id, [.. image.RepoTags], [.. image.RepoDigests], (long)image.Size, image.Pinned))];
    }, "", cancellationToken);

    /// <summary>Where the images are, and how much there is in use; a runtime may keep them in several places.</summary>
    public Task<RuntimeAnswer<IReadOnlyList<ImageFilesystem>>> ImageFilesystems(CancellationToken cancellationToken) => Call<IReadOnlyList<ImageFilesystem>>(async () =>
    {
        var answer = await _images.ImageFsInfoAsync(new ImageFsInfoRequest(), deadline: In(CallTimeout), cancellationToken: cancellationToken).ConfigureAwait(false);
        return [.. answer.ImageFilesystems.Select(usage => new ImageFilesystem(usage.FsId?.Mountpoint ?? "", (long)(usage.UsedBytes?.Value ?? 0)))];
    }, "", cancellationToken);

    public Task<RuntimeAnswer<string>> Pull(string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken) =>
        Call(async () =>
        {
            var request = new PullImageRequest { Image = new() { Image = reference }, Auth = Auth(credential), SandboxConfig = Sandbox(sandbox) };
            var headers = lease is null ? null : new Metadata { { "containerd-lease", lease } };
            return (await _images.PullImageAsync(request, headers, cancellationToken: cancellationToken).ConfigureAwait(false)).ImageRef;
        }, reference, cancellationToken, credential);

    public void Dispose() => _channel.Dispose();

    /// <summary>The digest of the name that was asked for: one image may have been pulled under many names.</summary>
    private static string ImageId(Image image, string reference)
    {
        var name = reference.Contains('@', StringComparison.Ordinal) ? reference[..reference.IndexOf('@', StringComparison.Ordinal)] : reference[..reference.LastIndexOf(':')];
        return image.RepoDigests.FirstOrDefault(digest => digest.StartsWith(name + "@", StringComparison.Ordinal))
            ?? image.RepoDigests.FirstOrDefault()
            ?? image.Id;
    }

    private static AuthConfig? Auth(RegistryCredential credential) => credential.IsAnonymous ? null : new AuthConfig
    {
        Username = credential.Username,
        Password = credential.Password,
        IdentityToken = credential.IdentityToken,
        RegistryToken = credential.RegistryToken,
    };

    /// <summary>Always sent (contract 5.2): some runtimes choose the handler or the snapshotter by it.</summary>
    private static PodSandboxConfig Sandbox(SandboxConfig? sandbox)
    {
        var config = new PodSandboxConfig { Metadata = new PodSandboxMetadata() };
        foreach (var (key, value) in sandbox?.Labels ?? []) config.Labels[key] = value ?? "";
        foreach (var (key, value) in sandbox?.Annotations ?? []) config.Annotations[key] = value ?? "";
        return config;
    }

    private DateTime In(TimeSpan timeout) => (_clock.GetUtcNow() + timeout).UtcDateTime;

    /// <param name="subject">The image that it is about, for the reading of error messages; may be empty.</param>
    /// <param name="shown">What the registry was shown.</param>
    internal static async Task<RuntimeAnswer<T>> Call<T>(Func<Task<T>> call, string subject, CancellationToken cancellationToken, RegistryCredential? shown = null)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            // With a local cause the connection broke: whatever code the library gave it, the runtime is away.
            var code = failure.Status.DebugException is null ? (int)failure.StatusCode : RpcCode.Unavailable;
            return PullFailure.Classify(code, failure.Status.Detail, subject, shown);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The library throws the same for a deadline that passes: a runtime that hangs is an operating error, nobody's cancellation.
            return new PullFailure(PullReason.Timeout, "the container runtime does not answer in time");
        }
    }

    private static async ValueTask<Stream> Connect(RuntimeEndpoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(endpoint.SocketPath), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>An image as the runtime lists it.</summary>
/// <param name="Id">The runtime's own, mostly the digest of the image's configuration.</param>
/// <param name="Digests">"docker.io/library/nginx@sha256:…"</param>
/// <param name="Bytes">As the runtime counts; containerd counts the compressed bytes.</param>
/// <param name="IsPinned">The kubelet never deletes it.</param>
public sealed record RuntimeImage(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, long Bytes, bool IsPinned);

/// <summary>Where a runtime keeps images.</summary>
public sealed record ImageFilesystem(string Mountpoint, long UsedBytes);
