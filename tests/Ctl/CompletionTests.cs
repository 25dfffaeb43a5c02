using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Completion;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class CompletionTests
{
    private static string[] Labels(params string[] words) => [.. CompleteCommand.Answers(CommandLine.Build(), words).Select(line => line.Split('\t')[0])];

    [Fact]
    public void Commands_are_offered_by_their_first_name_with_what_they_do()
    {
        Assert.Equal(["controller", "ctl", "daemon"], Labels(""));
        Assert.Contains("jobs\tLists ImagePullJobs.", CompleteCommand.Answers(CommandLine.Build(), ["ctl", "get", ""]));
        Assert.DoesNotContain("ipj", Labels("ctl", "get", ""));
        Assert.Equal(["describe"], Labels("ctl", "desc"));
    }

    [Fact]
    public void Options_are_offered_after_a_dash_only()
    {
        Assert.All(Labels("ctl", "pull", "nginx", ""), label => Assert.False(label.StartsWith('-')));
        Assert.Contains("--parallelism", Labels("ctl", "pull", "nginx", "--"));
        Assert.Equal(["--parallelism"], Labels("ctl", "pull", "nginx", "--para"));
        Assert.Contains("--kubeconfig", Labels("ctl", "pull", "--k"));
    }

    [Theory]
    [InlineData("-o", "", "json")]
    [InlineData("--output", "j", "json")]
    [InlineData("--output=js", null, "--output=json")]
    public void Values_are_offered_where_they_are_known(string word, string? next, string expected)
    {
        string[] words = ["ctl", "get", "jobs", word, .. next is null ? Array.Empty<string>() : [next]];
        Assert.Contains(expected, Labels(words));
        Assert.DoesNotContain("jobs", Labels(words));
    }

    [Fact]
    public void Log_levels_are_those_that_the_option_takes() =>
        Assert.Equal(["Debug", "Error", "Information", "Trace", "Warning"], Labels("daemon", "--log-level", ""));

    [Fact]
    public void Without_a_cluster_there_are_no_names_and_no_error() =>
        Assert.Empty(Labels("ctl", "--kubeconfig", "/nonexistent", "wait", ""));

    [Theory]
    [InlineData("kruise-image", new[] { "__complete", "ctl", "get", "--" }, false)]
    [InlineData("/usr/local/bin/kubectl-image", new[] { "__complete", "get", "--" }, false)]
    [InlineData("kubectl_complete-image", new[] { "get", "--" }, true)]
    public async Task Under_each_of_its_names_it_answers_what_is_asked_about_whatever_that_looks_like(string executable, string[] words, bool forKubectl)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var line = CommandLine.AsInvoked(executable, words);
        Assert.Equal(ExitCode.Done, await CommandLine.Run(line, output, error, TestContext.Current.CancellationToken));
        var answers = output.ToString().ReplaceLineEndings("\n").TrimEnd().Split('\n');
        Assert.Contains("--namespace", answers.Select(answer => answer.Split('\t')[0]));
        Assert.Equal(forKubectl, answers[^1] == ":4");
        Assert.Equal("", error.ToString());
    }
}
