using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>What <c>make kind-up</c> says where it cannot work: one sentence that says what to do. Docker, kind and kubectl are stubs here.</summary>
public sealed class KindScriptScenarios(SharedCluster shared) : Scenario(shared)
{
    private readonly DirectoryInfo programs = Directory.CreateTempSubdirectory("kruise-image-kind.");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        programs.Delete(recursive: true);
    }

    [Theory]
    [InlineData("up", "", "kind: docker is not installed. Install Docker, or try 'make demo', which needs none.")]
    [InlineData("up", "docker=1", "kind: Docker does not answer. Start it, or try 'make demo', which needs none.")]
    [InlineData("up", "docker=0", "kind: kind is not installed. Install kind (0.20 or newer), or try 'make demo', which needs neither.")]
    [InlineData("down", "docker=0 kind=0", "kind: kubectl is not installed. Install it: the cluster is shown with it.")]
    [InlineData("demo", "docker=0 kind=0 kubectl=0", "kind: there is no cluster yet. 'make kind-up' makes one.")]
    public async Task What_is_missing_is_said_in_a_sentence(string verb, string stubs, string sentence)
    {
        foreach (var stub in stubs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Stub(stub.Split('=')[0], $"exit {stub.Split('=')[1]}");
        var result = await RunAsync(verb);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(sentence, (result.Error + result.Output).Trim());
    }

    /// <summary>A build that fails ends it there: nothing is loaded or installed.</summary>
    [Fact]
    public async Task A_build_that_fails_ends_it()
    {
        Stub("docker", "case $1 in build) echo 'the build failed' >&2; exit 7;; esac");
        Stub("kind", $"echo \"$*\" >>{programs.FullName}/calls");
        Stub("kubectl", "exit 0");
        var result = await RunAsync("up");
        Assert.Equal(7, result.ExitCode);
        Assert.Contains("the build failed", result.Error, StringComparison.Ordinal);
        var calls = await File.ReadAllTextAsync(Path.Combine(programs.FullName, "calls"), Cancellation);
        Assert.Contains("create cluster --name kruise-image", calls, StringComparison.Ordinal);
        Assert.DoesNotContain("load", calls, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(string verb)
    {
        // The programs of the system, but for those that the script is about.
        foreach (var program in (string[])["bash", "realpath", "dirname", "grep", "mktemp", "rm", "chmod", "git", "cat"])
            File.CreateSymbolicLink(Path.Combine(programs.FullName, program), Parts.Find(program));
        return CommandResult.RunAsync("/bin/bash", [Path.Combine(Parts.RepositoryRoot, "e2e/kind.sh"), verb],
            new Dictionary<string, string> { ["PATH"] = programs.FullName }, null, Cancellation);
    }

    private void Stub(string program, string body)
    {
        var path = Path.Combine(programs.FullName, program);
        File.WriteAllText(path, $"#!/bin/bash\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
