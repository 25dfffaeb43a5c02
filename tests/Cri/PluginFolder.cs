using System.Diagnostics;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Tests.Kube;

namespace KruiseImage.Tests.Cri;

/// <summary>
/// A directory of real credential providers: shell scripts that write down how they were run, and then do what a test wants. Deleted
/// at the end, with all that they left running.
/// </summary>
internal sealed class PluginFolder : IDisposable
{
    public const string ApiVersion = "credentialprovider.kubelet.k8s.io/v1";

    public string Path { get; } = Directory.CreateTempSubdirectory("credential-provider-").FullName;

    /// <summary>A provider for all of "*.test", whose script runs with the folder as its directory.</summary>
    /// <param name="script">"$run" is the number of the run.</param>
    public CredentialProviderSpec Provider(string script, string name = "plugin")
    {
        var path = System.IO.Path.Combine(Path, name);
        Write(path, $"""
            #!/bin/sh
            cd '{Path}'
            echo "$$" >> '{name}.runs'
            run=$(wc -l < '{name}.runs')
            cat > '{name}.stdin'
            printf '%s\n' "$@" > '{name}.args'
            {script}
            """);
        return new CredentialProviderSpec
        {
            Name = name,
            ApiVersion = ApiVersion,
            MatchImages = ["*.test"],
            DefaultCacheDuration = TimeSpan.FromHours(1),
            Path = path,
        };
    }

    /// <summary>A command that prints an answer with one credential for "*.test".</summary>
    public static string Print(string keyType = "Image", string user = "u$run", string password = "p$run", string? duration = null, string location = "*.test") => $$"""
        cat << END
        {"kind":"CredentialProviderResponse","apiVersion":"{{ApiVersion}}","cacheKeyType":"{{keyType}}",{{(duration is null ? "" : $"\"cacheDuration\":\"{duration}\",")}}
         "auth":{"{{location}}":{"username":"{{user}}","password":"{{password}}"} } }
        END
        """;

    public int Runs(string name = "plugin") => File.Exists(At($"{name}.runs")) ? File.ReadAllLines(At($"{name}.runs")).Length : 0;

    public string Text(string file) => File.ReadAllText(At(file));

    /// <summary>Until a script wrote the file.</summary>
    public Task Wrote(string file) => FakeClock.Until(() => File.Exists(At(file)) && Text(file).EndsWith('\n'));

    /// <summary>Until the process whose number is in the file has ended.</summary>
    public Task Ended(string file) => FakeClock.Until(() => !IsAlive(Text(file).Trim()));

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string At(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>A process that ended may stay as a zombie, when nobody asks for it.</summary>
    private static bool IsAlive(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[1].Trim()[0] != 'Z';
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Written by another process: while this one has the file open, a process that another test starts would inherit it, and a
    /// program that is open for writing cannot be run ("text file busy").
    /// </summary>
    private static void Write(string path, string text)
    {
        using var writer = Process.Start(new ProcessStartInfo("sh", ["-c", "cat > \"$0\" && chmod 755 \"$0\"", path]) { RedirectStandardInput = true })!;
        writer.StandardInput.Write(text);
        writer.StandardInput.Close();
        writer.WaitForExit();
    }
}
