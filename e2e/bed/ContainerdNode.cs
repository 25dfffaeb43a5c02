using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using KruiseImage.Bed.Cri;
using KruiseImage.Bed.Leasing;

namespace KruiseImage.Bed;

/// <summary>
/// A node's containerd: own root, state and socket. Images come from where <paramref name="registries"/> says for their host, and all
/// others from <paramref name="mirror"/>: a <c>_default</c> entry guards against a pull that would leave the machine.
/// </summary>
public sealed class ContainerdNode : IDisposable
{
    /// <summary>Debian 12's own.</summary>
    public const string OldestVersion = "1.6";

    private static readonly TimeSpan answerTime = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel channel;
    private readonly string directory;
    private readonly string configuration;
    private readonly string program;

    /// <param name="version">"1.6", "1.7" or "2.1", as <c>install-parts.sh</c> names them.</param>
    public ContainerdNode(string name, string version, string bedDirectory, string logDirectory, Uri mirror, IReadOnlyDictionary<string, Uri> registries)
    {
        Name = name;
        directory = Directory.CreateDirectory(Path.Combine(bedDirectory, name)).FullName;
        Socket = Path.Combine(directory, "c.sock");
        foreach (var (host, address) in registries.Append(new("docker.io", mirror)).Append(new("_default", mirror)))
            WriteHost(Path.Combine(directory, "certs.d", host), address);
        configuration = Path.Combine(directory, "config.toml");
        File.WriteAllText(configuration, ContainerdConfiguration.Of(version, directory));
        program = Parts.Find(version == OldestVersion ? "containerd" : $"containerd-{version}");
        Server = new ServerProcess(name + "-containerd", logDirectory, program, "--config", configuration);
        channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = ConnectAsync },
            DisposeHttpClient = true,
        });
    }

    public string Name { get; }

    public string Socket { get; }

    public string Endpoint => "unix://" + Socket;

    public ServerProcess Server { get; }

    private ImageService.ImageServiceClient Images => new(channel);

    private Leases.LeasesClient Leases => new(channel);

    /// <summary>Returns when the CRI answers: the socket is there long before.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Server.Start();
        await Server.ReadyAsync(answerTime, async token => await VersionAsync(token) is not null, cancellationToken);
    }

    /// <summary>What containerd says of itself, "1.6.20" and more.</summary>
    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await new RuntimeService.RuntimeServiceClient(channel).VersionAsync(new VersionRequest(), cancellationToken: cancellationToken)).RuntimeVersion;

    public Task KillAsync(CancellationToken cancellationToken) => Server.KillAsync(cancellationToken);

    /// <summary>The image, or null: asked from containerd, never from a status.</summary>
    public async Task<Image?> ImageAsync(string reference, CancellationToken cancellationToken)
    {
        var request = new ImageStatusRequest { Image = new ImageSpec { Image = reference } };
        return (await Images.ImageStatusAsync(request, cancellationToken: cancellationToken)).Image;
    }

    public async Task<IReadOnlyList<Image>> ImagesAsync(CancellationToken cancellationToken) =>
        (await Images.ListImagesAsync(new ListImagesRequest(), cancellationToken: cancellationToken)).Images;

    /// <summary>What its disk has of each blob that is being fetched, in bytes: some of what was sent may still be on its way there.</summary>
    public IReadOnlyList<long> Ingested() =>
        [.. Directory.GetFiles(Path.Combine(directory, "root", "io.containerd.content.v1.content", "ingest"), "data", SearchOption.AllDirectories).Select(file => new FileInfo(file).Length)];

    /// <summary>The leases that CRI's namespace has, of ours and of anybody.</summary>
    public async Task<IReadOnlyList<Lease>> LeasesAsync(CancellationToken cancellationToken) =>
        (await Leases.ListAsync(new ListRequest(), InNamespace(), cancellationToken: cancellationToken)).Leases;

    public async Task CreateLeaseAsync(Lease lease, CancellationToken cancellationToken) =>
        await Leases.CreateAsync(new CreateRequest { Id = lease.Id, Labels = { lease.Labels } }, InNamespace(), cancellationToken: cancellationToken);

    /// <summary>The raw pull, which the product is measured against.</summary>
    public async Task PullAsync(string reference, CancellationToken cancellationToken, string? lease = null)
    {
        var headers = lease is null ? new Metadata() : new Metadata { { "containerd-lease", lease } };
        await Images.PullImageAsync(new PullImageRequest { Image = new ImageSpec { Image = reference } }, headers, cancellationToken: cancellationToken);
    }

    public async Task RemoveAsync(string reference, CancellationToken cancellationToken) =>
        await Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = reference } }, cancellationToken: cancellationToken);

    /// <summary>Runs the <c>ctr</c> that came with this containerd, in CRI's namespace.</summary>
    public Task<CommandResult> CtrAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) => CommandResult.RunAsync(
        Path.Combine(Path.GetDirectoryName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program)!, "ctr"),
        ["--address", Socket, "--namespace", "k8s.io", .. arguments], new Dictionary<string, string>(), null, cancellationToken);

    /// <summary>Starts it again with the plugin off, or with all of them when there is none to name.</summary>
    public async Task RestartWithoutAsync(string? plugin, CancellationToken cancellationToken)
    {
        const string list = "disabled_plugins = [";
        await KillAsync(cancellationToken);
        var text = await File.ReadAllTextAsync(configuration, cancellationToken);
        var start = text.IndexOf(list, StringComparison.Ordinal) + list.Length;
        var end = text.IndexOf('\n', start);
        await File.WriteAllTextAsync(configuration, $"{text[..start]}{(plugin is null ? "" : $" \"{plugin}\",")}{text[end..]}", cancellationToken);
        await StartAsync(cancellationToken);
    }

    /// <summary>Starts it again on an empty disk of this size, or on its own one with all that was there.</summary>
    public async Task RestartOnDiskAsync(int? megabytes, CancellationToken cancellationToken)
    {
        await KillAsync(cancellationToken);
        var (root, none) = (Path.Combine(directory, "root"), new Dictionary<string, string>());
        if (megabytes is { } size) // in the mount namespace of the sandbox
            (await CommandResult.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size}m", "tmpfs", root], none, null, cancellationToken)).Succeeded();
        else
            (await CommandResult.RunAsync("umount", ["--recursive", root], none, null, cancellationToken)).Succeeded();
        await StartAsync(cancellationToken);
    }

    public async Task GrowDiskAsync(int megabytes, CancellationToken cancellationToken) =>
        (await CommandResult.RunAsync("mount", ["-o", $"remount,size={megabytes}m", Path.Combine(directory, "root")], new Dictionary<string, string>(), null, cancellationToken)).Succeeded();

    public void Dispose()
    {
        channel.Dispose();
        Server.Dispose();
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

    private static Metadata InNamespace() => new() { { "containerd-namespace", "k8s.io" } };

    private static void WriteHost(string directory, Uri registry)
    {
        var address = registry.GetLeftPart(UriPartial.Authority);
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(directory).FullName, "hosts.toml"), $"""
            server = "{address}"
            [host."{address}"]
              capabilities = ["pull", "resolve"]
            """);
    }
}
