using System.Runtime.CompilerServices;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>
/// What a pull by hand shows a registry: the entries of a docker configuration that match, what the node's credential provider plugins
/// give, nothing. The file is read once, by the rules that hold for pull secrets.
/// </summary>
public sealed class NodeCredentials(IReadOnlyList<LocatedCredential> configured, CredentialProviderSet providers) : IPullCredentials
{
    public async IAsyncEnumerable<RegistryCredential> For(Cri.PullEntry entry, Action<PullFailure> unread, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shown = new HashSet<RegistryCredential>();
        foreach (var credential in RegistryKeyring.Lookup(entry.CanonicalName, configured))
        {
            if (shown.Add(credential)) yield return credential;
        }
        await foreach (var credential in providers.For(entry.CanonicalName, cancellationToken).ConfigureAwait(false))
        {
            if (shown.Add(credential)) yield return credential;
        }
        yield return RegistryCredential.Anonymous;
    }
}

/// <summary>The file that "docker login" writes.</summary>
public static class DockerConfigFile
{
    /// <summary>That of $DOCKER_CONFIG or of the home directory; null when there is none.</summary>
    public static string? Usual()
    {
        var directory = Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } given ? given
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".docker")
            : null;
        return directory is not null && Path.Combine(directory, "config.json") is var file && File.Exists(file) ? file : null;
    }

    /// <exception cref="CommandException">It cannot be read.</exception>
    public static SecretCredentials Read(string file)
    {
        try
        {
            return Parse(File.ReadAllBytes(file));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"{file} cannot be read: {failure.Message.TrimEnd('.')}; name a file that docker login wrote with --docker-config");
        }
    }

    /// <summary>It is what a pull secret holds, so it is read as one.</summary>
    public static SecretCredentials Parse(byte[] json)
    {
        const string key = ".dockerconfigjson";
        var read = DockerConfig.Read(new Secret { Data = new() { [key] = Convert.ToBase64String(json) } });
        return read with { Problems = [.. read.Problems.Select(problem => problem.Replace($"{key} ", "it ", StringComparison.Ordinal))] };
    }
}
