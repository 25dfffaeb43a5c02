using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KruiseImage.Bed;

/// <summary>Ports on loopback that are free now. Each is handed out once in the life of the process.</summary>
public static class Ports
{
    private static readonly ConcurrentDictionary<int, bool> taken = new();

    public static int Free()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            if (taken.TryAdd(port, true))
                return port;
        }
    }
}
