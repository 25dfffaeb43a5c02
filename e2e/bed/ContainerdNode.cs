using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using KruiseImage.Bed.Cri;

namespace KruiseImage.Bed;

/// <summary>
/// A node's containerd: own root, state and socket. All images come from <paramref name="mirror"/>, whatever registry their name says:
/// a <c>_default</c> entry guards against a pull that would leave the machine.
/// </summary>
public sealed class ContainerdNode : IDisposable
{
    private static readonly TimeSpan answerTime = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel channel;
    private readonly ServerProcess server;

    public ContainerdNode(string name, string bedDirectory, string logDirectory, Uri mirror)
    {
        Name = name;
        var directory = Directory.CreateDirectory(Path.Combine(bedDirectory, name)).FullName;
        Socket = Path.Combine(directory, "c.sock");
        WriteMirror(Path.Combine(directory, "certs.d"), mirror);
        var configuration = Path.Combine(directory, "config.toml");
        File.WriteAllText(configuration, Configuration(directory));
        server = new ServerProcess(name + "-containerd", logDirectory, Parts.Find("containerd"), "--config", configuration);
        channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = ConnectAsync },
            DisposeHttpClient = true,
        });
    }

    public string Name { get; }

    public string Socket { get; }

    public string Endpoint => "unix://" + Socket;

    private ImageService.ImageServiceClient Images => new(channel);

    /// <summary>Returns when the CRI answers: the socket is there long before.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        server.Start();
        await server.ReadyAsync(answerTime, async token =>
        {
            await new RuntimeService.RuntimeServiceClient(channel).VersionAsync(new VersionRequest(), cancellationToken: token);
            return true;
        }, cancellationToken);
    }

    public Task KillAsync(CancellationToken cancellationToken) => server.KillAsync(cancellationToken);

    /// <summary>The image, or null: asked from containerd, never from a status.</summary>
    public async Task<Image?> ImageAsync(string reference, CancellationToken cancellationToken)
    {
        var request = new ImageStatusRequest { Image = new ImageSpec { Image = reference } };
        return (await Images.ImageStatusAsync(request, cancellationToken: cancellationToken)).Image;
    }

    public async Task<IReadOnlyList<Image>> ImagesAsync(CancellationToken cancellationToken) =>
        (await Images.ListImagesAsync(new ListImagesRequest(), cancellationToken: cancellationToken)).Images;

    /// <summary>The raw pull, which the product is measured against.</summary>
    public async Task PullAsync(string reference, CancellationToken cancellationToken) =>
        await Images.PullImageAsync(new PullImageRequest { Image = new ImageSpec { Image = reference } }, cancellationToken: cancellationToken);

    public async Task RemoveAsync(string reference, CancellationToken cancellationToken) =>
        await Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = reference } }, cancellationToken: cancellationToken);

    public void Dispose()
    {
        channel.Dispose();
        server.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void WriteMirror(string directory, Uri mirror)
    {
        var address = mirror.GetLeftPart(UriPartial.Authority);
        foreach (var host in (string[])["docker.io", "_default"])
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(directory, host)).FullName, "hosts.toml"), $"""
                server = "{address}"
                [host."{address}"]
                  capabilities = ["pull", "resolve"]
                """);
    }

    // Version 2 is read by containerd 1.6 and 1.7. The plugins that are off want devices or kernel features that a test has no use for.
    private static string Configuration(string directory) => $"""
        version = 2
        root = "{directory}/root"
        state = "{directory}/state"
        disabled_plugins = [
          "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing",
          "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.restart", "io.containerd.monitor.v1.cgroups",
          "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
          "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.zfs",
        ]
        [grpc]
          address = "{directory}/c.sock"
        [plugins."io.containerd.grpc.v1.cri"]
          disable_tcp_service = true
          stream_server_address = "127.0.0.1"
          stream_server_port = "0"
          max_concurrent_downloads = 3
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
          [plugins."io.containerd.grpc.v1.cri".cni]
            conf_dir = "{directory}/cni"
          [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = "{directory}/certs.d"
        """;
}
