namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Kubeconfig files, merged as kubectl merges them: of entries with the same name the first file's counts, and relative paths start
/// at the file that holds them. Used by <see cref="ClusterConfig"/> at start; runs nothing and connects nowhere.
/// </summary>
public sealed class Kubeconfig
{
    private readonly List<KubeconfigFile> _files;

    private Kubeconfig(List<KubeconfigFile> files) => _files = files;

    private string Names => string.Join(':', _files.Select(file => file.Path));

    /// <summary>All files that exist; at least one must.</summary>
    public static Kubeconfig Read(IReadOnlyList<string> paths)
    {
        var files = paths.Distinct(StringComparer.Ordinal).Where(File.Exists).Select(KubeconfigFile.Read).ToList();
        if (files.Count > 0) return new Kubeconfig(files);
        throw new ClusterConfigException($"there is no kubeconfig at {string.Join(':', paths)}: give --kubeconfig, or set KUBECONFIG");
    }

    /// <param name="contextName">Null: the current one.</param>
    public KubeconfigContext Context(string? contextName)
    {
        var name = contextName ?? _files.Select(file => file.Content.Text("current-context")).FirstOrDefault(current => !string.IsNullOrEmpty(current));
        if (name is null) throw new ClusterConfigException($"the kubeconfig {Names} has no current context: choose one with --context{Known("; it has: ")}");
        var context = First("contexts", name, "context").Value
            ?? throw new ClusterConfigException($"the kubeconfig {Names} has no context \"{name}\"{Known("; it has: ")}");
        var (clusterName, userName) = (context.Text("cluster"), context.Text("user"));
        var (cluster, clusterFile) = First("clusters", clusterName, "cluster");
        if (cluster is null)
            throw new ClusterConfigException($"the kubeconfig {Names} has no cluster \"{clusterName}\", which its context \"{name}\" names");
        var (user, userFile) = First("users", userName, "user");
        if (user is null && !string.IsNullOrEmpty(userName))
            throw new ClusterConfigException($"the kubeconfig {Names} has no user \"{userName}\", which its context \"{name}\" names");
        return new KubeconfigContext
        {
            Name = name,
            Namespace = context.Text("namespace") is { Length: > 0 } @namespace ? @namespace : null,
            Cluster = KubeconfigCluster.From(cluster),
            ClusterDirectory = clusterFile!.Directory,
            User = user is null ? new KubeconfigUser() : KubeconfigUser.From(user),
            UserName = userName ?? "",
            UserDirectory = userFile?.Directory ?? ".",
        };
    }

    /// <summary>The object of the first entry with this name, and the file that holds it.</summary>
    private (ConfigNode? Value, KubeconfigFile? File) First(string list, string? name, string key) => _files
        .Select(file => (Value: file.Entries(list).FirstOrDefault(entry => entry.Text("name") == name)?.Object(key), File: file))
        .FirstOrDefault(found => found.Value is not null);

    private string Known(string before)
    {
        var names = _files.SelectMany(file => file.Entries("contexts")).Select(context => context.Text("name")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return string.Join(", ", names) is { Length: > 0 } list ? before + list : ", in fact none at all";
    }
}

/// <summary>A context with what it names, found in whichever file.</summary>
public sealed record KubeconfigContext
{
    public required string Name { get; init; }
    public string? Namespace { get; init; }
    public required KubeconfigCluster Cluster { get; init; }
    public required string ClusterDirectory { get; init; }
    public required KubeconfigUser User { get; init; }
    public required string UserName { get; init; }
    public required string UserDirectory { get; init; }
}

public sealed record KubeconfigCluster
{
    public string? Server { get; init; }
    public string? TlsServerName { get; init; }
    public bool SkipsTlsVerify { get; init; }
    public string? CertificateAuthority { get; init; }
    public string? CertificateAuthorityData { get; init; }
    public string? ProxyUrl { get; init; }

    internal static KubeconfigCluster From(ConfigNode node) => new()
    {
        Server = node.Text("server"),
        TlsServerName = node.Text("tls-server-name"),
        SkipsTlsVerify = node.Flag("insecure-skip-tls-verify"),
        CertificateAuthority = node.Text("certificate-authority"),
        CertificateAuthorityData = node.Text("certificate-authority-data"),
        ProxyUrl = node.Text("proxy-url") is { Length: > 0 } url ? url : null,
    };
}

public sealed record KubeconfigUser
{
    public string? Token { get; init; }
    public string? TokenFile { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
    public string? ClientCertificate { get; init; }
    public string? ClientCertificateData { get; init; }
    public string? ClientKey { get; init; }
    public string? ClientKeyData { get; init; }
    public string? Impersonate { get; init; }
    public IReadOnlyList<string> ImpersonateGroups { get; init; } = [];
    /// <summary>The name of the auth-provider.</summary>
    public string? AuthProvider { get; init; }
    public KubeconfigExec? Exec { get; init; }

    internal static KubeconfigUser From(ConfigNode node) => new()
    {
        Token = node.Text("token"),
        TokenFile = node.Text("tokenFile") is { Length: > 0 } file ? file : null,
        Username = node.Text("username"),
        Password = node.Text("password"),
        ClientCertificate = node.Text("client-certificate"),
        ClientCertificateData = node.Text("client-certificate-data"),
        ClientKey = node.Text("client-key"),
        ClientKeyData = node.Text("client-key-data"),
        Impersonate = node.Text("as"),
        ImpersonateGroups = node.Texts("as-groups"),
        AuthProvider = node.Object("auth-provider") is { } provider ? provider.Text("name") ?? "" : null,
        Exec = node.Object("exec") is { } exec ? KubeconfigExec.From(exec) : null,
    };
}

public sealed record KubeconfigExec
{
    public string? ApiVersion { get; init; }
    public string? Command { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];
    public string? InteractiveMode { get; init; }
    public string? InstallHint { get; init; }
    public bool ProvidesClusterInfo { get; init; }

    internal static KubeconfigExec From(ConfigNode node) => new()
    {
        ApiVersion = node.Text("apiVersion"),
        Command = node.Text("command"),
        Arguments = node.Texts("args"),
        Environment = [.. node.Objects("env", "variable").Select(Variable)],
        InteractiveMode = node.Text("interactiveMode") is { Length: > 0 } mode ? mode : null,
        InstallHint = node.Text("installHint"),
        ProvidesClusterInfo = node.Flag("provideClusterInfo"),
    };

    private static KeyValuePair<string, string> Variable(ConfigNode node) =>
        KeyValuePair.Create(node.Text("name") ?? throw node.Wrong("has no name: give one"), node.Text("value") ?? "");
}

internal sealed record KubeconfigFile(string Path, ConfigNode Content)
{
    public string Directory => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) ?? "/";

    public static KubeconfigFile Read(string path)
    {
        try
        {
            var text = File.ReadAllText(path);
            if (string.IsNullOrWhiteSpace(text)) throw new ClusterConfigException($"the kubeconfig {path} is empty");
            return new KubeconfigFile(path, ConfigNode.Parse(text, $"the kubeconfig {path}", "a kubeconfig", sentence => new ClusterConfigException(sentence)));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new ClusterConfigException($"the kubeconfig {path} cannot be read: {unreadable.Message}");
        }
    }

    public IEnumerable<ConfigNode> Entries(string list) => Content.Objects(list, $"entry of {list}");
}
