using k8s;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Kubeconfig files, merged as kubectl merges them: of entries with the same name the first file's counts, and relative paths start
/// at the file that holds them. KubernetesClient reads the files into its models; three keys that those lack are looked up here.
/// Used by <see cref="ClusterConfig"/> at start; runs nothing and connects nowhere.
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
        var name = contextName ?? _files.Select(file => file.Content.CurrentContext).FirstOrDefault(current => !string.IsNullOrEmpty(current));
        if (name is null) throw new ClusterConfigException($"the kubeconfig {Names} has no current context: choose one with --context{Known("; it has: ")}");
        var context = First(file => file.Content.Contexts?.FirstOrDefault(known => known.Name == name)?.ContextDetails).Value
            ?? throw new ClusterConfigException($"the kubeconfig {Names} has no context \"{name}\"{Known("; it has: ")}");
        var (cluster, clusterFile) = First(file => file.Content.Clusters?.FirstOrDefault(known => known.Name == context.Cluster)?.ClusterEndpoint);
        if (cluster is null)
            throw new ClusterConfigException($"the kubeconfig {Names} has no cluster \"{context.Cluster}\", which its context \"{name}\" names");
        var (user, userFile) = First(file => file.Content.Users?.FirstOrDefault(known => known.Name == context.User)?.UserCredentials);
        if (user is null && !string.IsNullOrEmpty(context.User))
            throw new ClusterConfigException($"the kubeconfig {Names} has no user \"{context.User}\", which its context \"{name}\" names");
        return new KubeconfigContext
        {
            Name = name,
            Namespace = string.IsNullOrEmpty(context.Namespace) ? null : context.Namespace,
            Cluster = cluster,
            ClusterDirectory = clusterFile!.Directory,
            ProxyUrl = clusterFile.Text("clusters", context.Cluster, "cluster", "proxy-url"),
            User = user ?? new UserCredentials(),
            UserName = context.User ?? "",
            UserDirectory = userFile?.Directory ?? ".",
            TokenFile = userFile?.Text("users", context.User!, "user", "tokenFile"),
            InteractiveMode = userFile?.Text("users", context.User!, "user", "exec", "interactiveMode"),
        };
    }

    private (T? Value, KubeconfigFile? File) First<T>(Func<KubeconfigFile, T?> find)
        where T : class => _files.Select(file => (find(file), file)).FirstOrDefault(found => found.Item1 is not null);

    private string Known(string before)
    {
        var names = _files.SelectMany(file => file.Content.Contexts ?? []).Select(context => context.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return string.Join(", ", names) is { Length: > 0 } list ? before + list : ", in fact none at all";
    }
}

/// <summary>A context with what it names, found in whichever file.</summary>
public sealed record KubeconfigContext
{
    public required string Name { get; init; }
    public string? Namespace { get; init; }
    public required ClusterEndpoint Cluster { get; init; }
    public required string ClusterDirectory { get; init; }
    public string? ProxyUrl { get; init; }
    public required UserCredentials User { get; init; }
    public required string UserName { get; init; }
    public required string UserDirectory { get; init; }
    public string? TokenFile { get; init; }
    public string? InteractiveMode { get; init; }
}

/// <summary>One file: the package's models, and the tree for what they lack.</summary>
internal sealed record KubeconfigFile(string Path, K8SConfiguration Content, YamlNode Root)
{
    public string Directory => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) ?? "/";

    public static KubeconfigFile Read(string path)
    {
        try
        {
            using var text = new StringReader(File.ReadAllText(path));
            var yaml = new YamlStream();
            yaml.Load(text);
            if (yaml.Documents.Count == 0) throw new ClusterConfigException($"the kubeconfig {path} is empty");
            using var bytes = File.OpenRead(path);
            return new KubeconfigFile(path, KubernetesClientConfiguration.LoadKubeConfig(bytes), yaml.Documents[0].RootNode);
        }
        catch (YamlException malformed)
        {
            var cause = malformed.InnerException?.Message ?? malformed.Message;
            throw new ClusterConfigException($"the kubeconfig {path} is not understood at line {malformed.Start.Line}: {cause}");
        }
        catch (Exception malformed) when (malformed is InvalidOperationException or ArgumentException)
        {
            // What the scanner of the library throws when it loses its way, say in a list that is never closed.
            throw new ClusterConfigException($"the kubeconfig {path} is not understood: {malformed.Message}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new ClusterConfigException($"the kubeconfig {path} cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>A scalar of the entry with this name in a list of entries.</summary>
    public string? Text(string list, string name, params ReadOnlySpan<string> keys)
    {
        var entries = Child(Root, list) as YamlSequenceNode;
        var node = entries?.Children.FirstOrDefault(entry => (Child(entry, "name") as YamlScalarNode)?.Value == name);
        foreach (var key in keys) node = Child(node, key);
        return (node as YamlScalarNode)?.Value is { Length: > 0 } text ? text : null;
    }

    private static YamlNode? Child(YamlNode? node, string key) =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}
