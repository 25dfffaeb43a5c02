using System.Diagnostics.CodeAnalysis;

namespace KruiseImage.Cri;

/// <summary>The unix socket of a container runtime. The daemon is given one, or tries the usual ones.</summary>
public sealed record RuntimeEndpoint(string SocketPath)
{
    private const string Scheme = "unix://";

    /// <summary>containerd; k3s and RKE2 (one path); CRI-O; cri-dockerd.</summary>
    public static readonly IReadOnlyList<RuntimeEndpoint> Usual =
    [
        new("/run/containerd/containerd.sock"),
        new("/run/k3s/containerd/containerd.sock"),
        new("/run/crio/crio.sock"),
        new("/run/cri-dockerd.sock"),
    ];

    public override string ToString() => Scheme + SocketPath;

    /// <summary>"unix:///run/x.sock", or just the absolute path.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out RuntimeEndpoint? endpoint, out string error)
    {
        var path = text.StartsWith(Scheme, StringComparison.Ordinal) ? text[Scheme.Length..] : text;
        var isPath = path.StartsWith('/') && path.Length > 1;
        endpoint = isPath ? new RuntimeEndpoint(path) : null;
        error = isPath ? "" : $"'{text}' is not a unix socket: write it as unix:///run/containerd/containerd.sock";
        return isPath;
    }
}
