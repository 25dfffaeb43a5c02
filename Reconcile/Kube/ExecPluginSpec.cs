using System.Buffers;
using System.Text;
using System.Text.Json;

namespace KruiseImage.Reconcile.Kube;

/// <summary>The "exec" part of a kubeconfig's user, with paths resolved. Pure.</summary>
public sealed record ExecPluginSpec
{
    /// <summary>Versions of the protocol between us and the plugin.</summary>
    private static readonly string[] KnownVersions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

    public required string ApiVersion { get; init; }
    /// <summary>A name to be found in PATH, or an absolute path.</summary>
    public required string Command { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];
    /// <summary>"Never", "IfAvailable" or "Always".</summary>
    public string InteractiveMode { get; init; } = "IfAvailable";
    public string? InstallHint { get; init; }
    /// <summary>What the plugin is told about the cluster, when it asks for that.</summary>
    public ExecClusterInfo? Cluster { get; init; }

    public static ExecPluginSpec From(KubeconfigContext context)
    {
        if (context.User.Exec is not { Command.Length: > 0 } exec) throw new ClusterConfigException($"the kubeconfig's user \"{context.UserName}\" has an exec without a command");
        if (exec.ApiVersion is not { } version || !KnownVersions.Contains(version, StringComparer.Ordinal))
            throw new ClusterConfigException($"the credential plugin {exec.Command} speaks \"{exec.ApiVersion}\": set its apiVersion in the kubeconfig to {KnownVersions[0]}");
        var cluster = context.Cluster;
        return new ExecPluginSpec
        {
            ApiVersion = version,
            Command = exec.Command.Contains('/', StringComparison.Ordinal) ? Path.GetFullPath(exec.Command, context.UserDirectory) : exec.Command,
            Arguments = exec.Arguments,
            Environment = exec.Environment,
            InteractiveMode = exec.InteractiveMode ?? "IfAvailable",
            InstallHint = string.IsNullOrWhiteSpace(exec.InstallHint) ? null : exec.InstallHint.Trim(),
            Cluster = exec.ProvidesClusterInfo
                ? new ExecClusterInfo(cluster.Server!, cluster.TlsServerName, cluster.SkipsTlsVerify, cluster.CertificateAuthorityData, cluster.ProxyUrl)
                : null,
        };
    }

    /// <summary>The JSON of KUBERNETES_EXEC_INFO.</summary>
    public string ExecInfo(bool isInteractive)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("kind", "ExecCredential");
            json.WriteString("apiVersion", ApiVersion);
            json.WriteStartObject("spec");
            json.WriteBoolean("interactive", isInteractive);
            if (Cluster is not null) WriteCluster(json, Cluster);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteCluster(Utf8JsonWriter json, ExecClusterInfo cluster)
    {
        json.WriteStartObject("cluster");
        json.WriteString("server", cluster.Server);
        if (cluster.TlsServerName is { Length: > 0 } name) json.WriteString("tls-server-name", name);
        if (cluster.SkipsVerification) json.WriteBoolean("insecure-skip-tls-verify", true);
        if (cluster.AuthorityData is { Length: > 0 } authority) json.WriteString("certificate-authority-data", authority);
        if (cluster.ProxyUrl is { Length: > 0 } proxy) json.WriteString("proxy-url", proxy);
        json.WriteNull("config");
        json.WriteEndObject();
    }
}

public sealed record ExecClusterInfo(string Server, string? TlsServerName, bool SkipsVerification, string? AuthorityData, string? ProxyUrl);
