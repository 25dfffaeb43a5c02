namespace KruiseImage.Bed;

/// <summary>
/// The configuration of a node's containerd, by its version. The plugins that are off want devices or kernel features that a test has
/// no use for; with <c>runtime.v1.linux</c> or <c>image-verifier</c> among them the CRI would vanish without a word.
/// </summary>
internal static class ContainerdConfiguration
{
    public static string Of(string version, string directory) => Common(version, directory) + "\n" + (version.StartsWith("1.", StringComparison.Ordinal) ? Cri1(directory) : Cri2(directory));

    private static string Common(string version, string directory) => $"""
        version = {(version.StartsWith("1.", StringComparison.Ordinal) ? 2 : 3)}
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
        """;

    private static string Cri1(string directory) => $"""
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

    // This version bounds the downloads of the whole node and not of one pull: a slow image would hold up the fast ones beside it.
    private static string Cri2(string directory) => $"""
        [plugins."io.containerd.cri.v1.images"]
          snapshotter = "overlayfs"
          max_concurrent_downloads = 30
          image_pull_progress_timeout = "5m0s"
          [plugins."io.containerd.cri.v1.images".registry]
            config_path = "{directory}/certs.d"
        [plugins."io.containerd.transfer.v1.local"]
          config_path = "{directory}/certs.d"
        [plugins."io.containerd.cri.v1.runtime".cni]
          conf_dir = "{directory}/cni"
        """;
}
