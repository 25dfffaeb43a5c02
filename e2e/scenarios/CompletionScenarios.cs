using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The Tab key in real shells, and of kubectl, against a cluster that has a job.</summary>
public sealed class CompletionScenarios(SharedCluster shared) : Scenario(shared)
{
    private const string Name = "completion-of-a-long-name";

    /// <param name="shell">Without the files of the person who runs the test.</param>
    /// <param name="setUp">As the help of "ctl completion" says.</param>
    [Theory]
    [InlineData("bash --norc", "source <(kruise-image ctl completion bash)")]
    [InlineData("zsh -f", "autoload -Uz compinit; compinit -u -D; source <(kruise-image ctl completion zsh)")]
    [InlineData("fish --no-config", "kruise-image ctl completion fish | source")]
    public async Task Tab_completes_commands_and_names_of_jobs(string shell, string setUp)
    {
        await CreateJobAsync();
        var folder = Folder("kruise-image", "kubectl-image");
        await using var screen = await TerminalScreen.OpenAsync(100, 30, $"env PATH={folder}:$PATH HOME={folder} {shell} -i", Cluster.Kubeconfig, Cancellation);
        await screen.TypeAsync($"{setUp}; echo 'the shell' is ready");
        await screen.PressAsync("Enter");
        await ShowsAsync(screen, "the shell is ready");

        await screen.TypeAsync("kruise-image ctl desc");
        await screen.PressAsync("Tab");
        await ShowsAsync(screen, "kruise-image ctl describe");
        await screen.TypeAsync("job completion-of");
        await screen.PressAsync("Tab");
        await ShowsAsync(screen, $"kruise-image ctl describe job {Name}");
        await screen.PressAsync("C-c");

        await screen.TypeAsync("kubectl-image get jobs --output=js");
        await screen.PressAsync("Tab");
        await ShowsAsync(screen, "kubectl-image get jobs --output=json");
    }

    [Fact]
    public async Task Kubectl_asks_the_plugin()
    {
        var kubectl = PackagingScenarios.Tool("kubectl-1.32"); // plugins are asked since 1.26
        await CreateJobAsync();
        var folder = Folder("kubectl-image", "kubectl_complete-image");
        var environment = new Dictionary<string, string> { ["PATH"] = $"{folder}:/usr/bin:/bin", ["KUBECONFIG"] = Cluster.Kubeconfig, ["HOME"] = folder };
        var answer = (await CommandResult.RunAsync(kubectl, ["__complete", "image", "describe", "job", "completion-of"], environment, null, Cancellation)).Succeeded();
        Assert.Equal(Name, answer.Split('\n')[0]);
    }

    private async Task CreateJobAsync()
    {
        var image = await PushAsync("completion");
        await JobAsync(Name, $$$"""{"image":"{{{image.Reference}}}"}""");
    }

    /// <summary>A folder for $PATH with the product under these names.</summary>
    private string Folder(params string[] names)
    {
        var folder = Directory.CreateTempSubdirectory("kruise-image-completion-").FullName;
        AtTheEnd(() =>
        {
            Directory.Delete(folder, recursive: true);
            return Task.CompletedTask;
        });
        foreach (var name in names) File.CreateSymbolicLink(Path.Combine(folder, name), Parts.Product);
        return folder;
    }

    private static Task ShowsAsync(TerminalScreen screen, string text) =>
        UntilAsync($"the screen shows \"{text}\"", async () => (await screen.TextAsync()).Contains(text, StringComparison.Ordinal));
}
