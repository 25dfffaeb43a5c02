using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KruiseImage.Bed;

/// <summary>
/// Ports on loopback that are free now. Each is handed out once in the life of the process. They are below those that the kernel gives
/// to connections: a server that is restarted must not find that a connection of somebody has its port meanwhile.
/// </summary>
public static class Ports
{
    private const int First = 10_000, BehindLast = 32_000;

    private static readonly ConcurrentDictionary<int, bool> taken = new();

    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, BehindLast);
            if (IsFree(port) && taken.TryAdd(port, true))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
