using System.CommandLine;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;

namespace KruiseImage.Modes;

/// <summary>What the daemon and "ctl node" must both be told of a node: the runtime's socket and the credential provider plugins.</summary>
internal static class RuntimeOptions
{
    public static Option<string?> Endpoint()
    {
        var option = new Option<string?>("--runtime-endpoint")
        {
            Description = "The container runtime's CRI socket, unix:///path [default: the first that answers of containerd, k3s, RKE2, CRI-O, cri-dockerd].",
            HelpName = "endpoint",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } endpoint && !RuntimeEndpoint.TryParse(endpoint, out _, out var error)) result.AddError($"--runtime-endpoint: {error}");
        });
        return option;
    }

    public static Option<string?> ProviderConfig() => new("--image-credential-provider-config")
    {
        Description = "The kubelet's CredentialProviderConfig, a file or a directory of files: plugins that are asked for credentials [default: none].",
        HelpName = "path",
    };

    public static Option<string?> ProviderBinDirectory() => new("--image-credential-provider-bin-dir")
    {
        Description = "The directory of those plugins.",
        HelpName = "path",
    };

    /// <summary>The one that was asked for, else those to try.</summary>
    public static IReadOnlyList<RuntimeEndpoint> Endpoints(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is { } text && RuntimeEndpoint.TryParse(text, out var asked, out _) ? [asked] : RuntimeEndpoint.Usual;

    /// <exception cref="CommandException">One without the other, or what is wrong with the files.</exception>
    public static IReadOnlyList<CredentialProviderSpec> Providers(ParseResult parsed, Option<string?> configOption, Option<string?> binDirectoryOption)
    {
        var (config, binDirectory) = (parsed.GetValue(configOption), parsed.GetValue(binDirectoryOption));
        if (string.IsNullOrEmpty(config) && string.IsNullOrEmpty(binDirectory)) return [];
        if (string.IsNullOrEmpty(config) || string.IsNullOrEmpty(binDirectory))
            throw CommandException.Usage($"{configOption.Name} and {binDirectoryOption.Name} go together: give both or neither");
        try
        {
            return CredentialProviderFiles.Load(config, binDirectory);
        }
        catch (CredentialProviderException wrong)
        {
            throw CommandException.Usage($"{configOption.Name}: {wrong.Message}");
        }
    }
}
