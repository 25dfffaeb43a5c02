namespace KruiseImage.Cri.CredentialProviders;

/// <summary>
/// Finds on disk what the two options of the kubelet name: the configuration, one file or a directory of them, and the directory of
/// executables. Called once, at start: what can be known to be wrong then ends the start.
/// </summary>
public static class CredentialProviderFiles
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly string[] Extensions = [".json", ".yaml", ".yml"];

    /// <exception cref="CredentialProviderException">What is wrong, and what to do.</exception>
    public static IReadOnlyList<CredentialProviderSpec> Load(string config, string binDirectory)
    {
        if (!Directory.Exists(binDirectory))
            throw new CredentialProviderException($"there is no directory {binDirectory}: mount the one that holds the credential providers");
        var providers = FilesOf(config).SelectMany(file => CredentialProviderConfig.Parse(Text(file), file)).ToList();
        CredentialProviderConfig.NoneTwice(providers, config);
        return [.. providers.Select(provider => provider with { Path = Find(provider.Name, Path.GetFullPath(binDirectory)) })];
    }

    /// <summary>Of a directory all files with a known ending, by name, as the kubelet takes them.</summary>
    private static IReadOnlyList<string> FilesOf(string config)
    {
        if (!Directory.Exists(config)) return [config];
        var files = Read(config, () => Directory.GetFiles(config).Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.Ordinal)));
        if (!files.Any())
            throw new CredentialProviderException($"{config} has no file *.json, *.yaml or *.yml: name the one that holds the {CredentialProviderConfig.Kind}");
        return [.. files.Order(StringComparer.Ordinal)];
    }

    private static string Text(string file) => File.Exists(file)
        ? Read(file, () => File.ReadAllText(file))
        : throw new CredentialProviderException($"there is no file {file}: mount the {CredentialProviderConfig.Kind} of the kubelet");

    private static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CredentialProviderException($"{path} cannot be read ({failure.Message.TrimEnd('.')}): let the daemon read it");
        }
    }

    private static string Find(string name, string binDirectory)
    {
        var path = Path.Combine(binDirectory, name);
        if (!File.Exists(path))
            throw new CredentialProviderException($"the credential provider \"{name}\" is not in {binDirectory}: install it there, or remove it from the {CredentialProviderConfig.Kind}");
        if (OperatingSystem.IsLinux() && (File.GetUnixFileMode(path) & Executable) == 0)
            throw new CredentialProviderException($"{path} is not executable: allow it with chmod +x");
        return path;
    }
}
