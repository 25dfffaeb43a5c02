using System.Net;
using System.Net.Sockets;

namespace KruiseImage.Bed;

/// <summary>
/// A network of its own for the daemon of one node, with one cable to the API server, which can be cut: then packets are dropped in both
/// directions and nobody is told, as when a switch dies. The network and its cable live as long as the process that was started in
/// it. The API server listens on loopback alone, so a relay stands at our end of the cable.
/// </summary>
public sealed class NodeNetwork : IDisposable
{
    private static readonly Dictionary<string, string> none = [];

    // Made by the process itself, so that the kernel takes it all back with it. Process 1 of the sandbox lives in the network outside.
    private const string Script = """
        ip link set lo up
        ip link add uplink type veth peer name "$0" netns 1
        ip addr add "$2/30" dev uplink
        ip link set uplink up
        nsenter --net=/proc/1/ns/net sh -ec "ip addr add $1/30 dev $0; ip link set $0 up"
        shift 2
        exec "$@"
        """;

    private readonly CancellationTokenSource end = new();
    private readonly string link;
    private readonly IPAddress outside, inside;
    private readonly int apiPort;
    private TcpListener? listener;

    public NodeNetwork(string name, LocalCluster cluster, ContainerdNode node)
    {
        var unique = Ports.Free();
        link = $"kruise{unique}";
        var network = (unique % 16000) * 4; // within 169.254.0.0/16
        (outside, inside) = (Address(network + 1), Address(network + 2));
        apiPort = cluster.ControlPlane.Server.Port;
        Listen = new Uri($"http://{inside}:{Ports.Free()}");
        var kubeconfig = Path.Combine(Path.GetDirectoryName(cluster.ControlPlane.DaemonKubeconfig)!, $"{name}.kubeconfig");
        File.WriteAllText(kubeconfig, File.ReadAllText(cluster.ControlPlane.DaemonKubeconfig)
            .Replace($"server: https://127.0.0.1:{apiPort}", $"server: https://{outside}:{apiPort}\n    tls-server-name: 127.0.0.1", StringComparison.Ordinal));
        File.SetUnixFileMode(kubeconfig, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string[] daemon = [.. cluster.DaemonArguments(node).Select(argument => argument == cluster.ControlPlane.DaemonKubeconfig ? kubeconfig : argument)];
        Daemon = new ServerProcess(name, cluster.LogDirectory, "/usr/bin/unshare",
            ["--net", "--", "/bin/sh", "-ec", Script, link, outside.ToString(), inside.ToString(), Parts.Product, .. daemon, "--listen", Listen.Authority]);
    }

    public ServerProcess Daemon { get; }

    /// <summary>Where the daemon serves its probes, as long as the cable is whole.</summary>
    public Uri Listen { get; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Daemon.Start();
        await Eventually.TrueAsync("the cable is there", TimeSpan.FromSeconds(10), token => Task.FromResult(Listens()), cancellationToken);
        _ = RelayAsync();
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await Daemon.ReadyAsync(TimeSpan.FromSeconds(30), async token => (await client.GetAsync(new Uri(Listen, "/readyz"), token)).IsSuccessStatusCode, cancellationToken);
    }

    /// <summary>Until <see cref="MendAsync"/>: a queue that holds nothing at either end.</summary>
    public Task CutAsync(CancellationToken cancellationToken) => QueuesAsync("replace", "root pfifo limit 0", cancellationToken);

    public Task MendAsync(CancellationToken cancellationToken) => QueuesAsync("del", "root", cancellationToken);

    public void Dispose()
    {
        end.Cancel();
        Daemon.Dispose();
        listener?.Dispose();
        end.Dispose();
    }

    private static IPAddress Address(int number) => new([169, 254, (byte)(number >> 8), (byte)number]);

    private async Task QueuesAsync(string verb, string queue, CancellationToken cancellationToken)
    {
        var command = $"tc qdisc {verb} dev {link} {queue}; nsenter --net=/proc/{Daemon.Pid}/ns/net tc qdisc {verb} dev uplink {queue}";
        (await CommandResult.RunAsync("/bin/sh", ["-ec", command], none, null, cancellationToken)).Succeeded();
    }

    private bool Listens()
    {
        try
        {
            listener = new TcpListener(outside, apiPort);
            listener.Start();
            return true;
        }
        catch (SocketException notYet) when (notYet.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            listener!.Dispose();
            return false;
        }
    }

    private async Task RelayAsync()
    {
        try
        {
            while (true)
                _ = JoinAsync(await listener!.AcceptTcpClientAsync(end.Token));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            listener!.Stop();
        }
    }

    private async Task JoinAsync(TcpClient near)
    {
        using var far = new TcpClient();
        using (near)
        {
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, apiPort, end.Token);
                await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), end.Token), far.GetStream().CopyToAsync(near.GetStream(), end.Token));
            }
            catch (SocketException)
            {
                near.Client.Close(0); // the API server is away: so is this connection
            }
        }
    }
}
