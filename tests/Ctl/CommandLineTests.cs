using KruiseImage.Modes;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class CommandLineTests
{
    private static async Task<(int ExitCode, string Output, string Error)> Run(string line)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        try
        {
            var exitCode = await CommandLine.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, error, TestContext.Current.CancellationToken);
            return (exitCode, output.ToString(), error.ToString());
        }
        catch (CommandException failure)
        {
            // As Program prints it.
            return (failure.ExitCode, output.ToString(), $"{error}error: {failure.Message}\n");
        }
    }

    [Theory]
    [InlineData("ctl pul nginx", "unknown command 'pul': did you mean 'pull'?")]
    [InlineData("clt", "unknown command 'clt': did you mean 'ctl'?")]
    [InlineData("ctl pull nginx --wiat", "unknown option '--wiat': did you mean '--wait'?")]
    [InlineData("ctl describe job a extra", "unexpected argument 'extra'")]
    [InlineData("ctl pull", "'ctl pull' needs IMAGE, --from or --filename")]
    [InlineData("ctl pull -f /no/such.yaml", "--filename /no/such.yaml: there is no such file or directory")]
    [InlineData("ctl pull nginx --dry-run --wait", "--dry-run creates nothing for --wait to follow: leave one of them out")]
    [InlineData("ctl pull --from web", "--from \"web\": write KIND/NAME, such as deployment/web")]
    [InlineData("ctl pull --from deplyoment/web", "--from \"deplyoment/web\": did you mean deployment/web?")]
    [InlineData("ctl pull --from ingress/web", "--from \"ingress/web\": choose one of deployment, statefulset, daemonset, replicaset, job, cronjob, pod, replicationcontroller")]
    [InlineData("ctl pull nginx --pull-secret A", "spec.pullSecrets: \"A\": a pull secret is named as the Secret is: lower-case letters, digits, '-' and '.', at most 253")]
    [InlineData("ctl describe job", "'ctl describe job' needs NAME")]
    [InlineData("ctl pull nginx --nodes", "option '--nodes' needs a value")]
    [InlineData("daemon --max-concurrent-pulls many", "--max-concurrent-pulls \"many\" is not a number of pulls from 1 to 64")]
    [InlineData("daemon --stall-timeout -1", "--stall-timeout \"-1\" is not a number of seconds from 0 to 86400")]
    [InlineData("controller --lease-duration 2", "--lease-duration \"2\" is not a number of seconds from 3 to 3600")]
    [InlineData("controller --listen 8080", "--listen \"8080\" is not ADDRESS:PORT, such as 127.0.0.1:8080 or :8080")]
    [InlineData("controller --log-level loud", "--log-level \"loud\" is not one of Trace, Debug, Information, Warning and Error")]
    [InlineData("ctl get pods", "unknown command 'pods': choose jobs, lists, nodes, images")]
    [InlineData("ctl get jobs -o jsn", "unknown output format 'jsn': did you mean 'json'?")]
    [InlineData("ctl get jobs -o xml", "unknown output format 'xml': choose one of table, wide, json, yaml, name")]
    [InlineData("ctl get jobs a -A", "names exclude --all-namespaces: ask for one or the other")]
    [InlineData("ctl pull nginx --nodes a --selector b=c", "--nodes and --selector exclude each other: choose nodes in one way")]
    [InlineData("ctl pull nginx --selector a=b --pod-selector b=c", "--selector and --pod-selector exclude each other: choose nodes in one way")]
    [InlineData("ctl pull nginx --nodes a,,b", "--nodes \"a,,b\": a name between commas is empty")]
    [InlineData("ctl pull Nginx", "image \"Nginx\": the repository must be lower case")]
    [InlineData("ctl pull nginx Redis:7.2", "image \"Redis:7.2\": the repository must be lower case")]
    [InlineData("ctl get jobs --wiat", "unknown option '--wiat'")]
    [InlineData("ctl pause", "'ctl pause' needs JOB, or --all")]
    [InlineData("ctl delete a --all", "names exclude --all: ask for one or the other")]
    [InlineData("ctl cancel --al", "unknown option '--al': did you mean '--all'?")]
    [InlineData("ctl resume a -p 0", "--parallelism 0 would leave it paused")]
    [InlineData("ctl retry", "'ctl retry' needs JOB")]
    [InlineData("ctl wait jib/a", "\"jib/a\": write NAME, job/NAME or list/NAME")]
    [InlineData("ctl wait job/a/b", "\"job/a/b\": \"a/b\" cannot be the name of a job")]
    [InlineData("ctl pull nginx:", "image \"nginx:\": the tag after the colon is empty")]
    [InlineData("ctl pull nginx -p 150%", "--parallelism \"150%\" is neither a count of nodes (0, 10) nor a share of them (1% to 100%)")]
    [InlineData("ctl pull nginx -p -3", "--parallelism \"-3\" is neither a count of nodes (0, 10) nor a share of them (1% to 100%)")]
    [InlineData("ctl pull nginx --timeout 5x", "--timeout \"5x\" is not a duration such as 90s, 10m or 1h30m")]
    [InlineData("ctl wait job --timeout soon", "--timeout \"soon\" is not a duration such as 90s, 10m or 1h30m")]
    public async Task A_wrong_command_line_is_one_sentence_and_exit_code_2(string line, string sentence)
    {
        var (exitCode, output, error) = await Run(line);
        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Equal($"error: {sentence}", error.Split('\n')[0].TrimEnd());
        Assert.Equal("", output);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ctl")]
    [InlineData("ctl get")]
    public async Task Without_a_verb_the_help_is_shown_but_a_script_is_told(string line)
    {
        var (exitCode, _, error) = await Run(line);
        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains("Commands:", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ctl")]
    [InlineData("ctl pull")]
    [InlineData("ctl wait")]
    [InlineData("ctl pause")]
    [InlineData("ctl resume")]
    [InlineData("ctl retry")]
    [InlineData("ctl cancel")]
    [InlineData("ctl delete")]
    [InlineData("ctl get")]
    [InlineData("ctl describe")]
    public async Task Each_help_has_examples_and_exit_codes(string command)
    {
        var (exitCode, output, _) = await Run($"{command} --help");
        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Contains("Examples:", output, StringComparison.Ordinal);
        Assert.Contains("Exit codes:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_names_the_commit()
    {
        var (exitCode, output, _) = await Run("--version");
        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Matches(@"^kruise-image \d+\.\d+\.\d+(-dev)? \(([0-9a-f]{12}|unknown)\)", output);
    }

    [Theory]
    [InlineData("/usr/local/bin/kubectl-image", "ctl pull x")]
    [InlineData("kruise-image", "pull x")]
    public void Under_the_name_of_a_kubectl_plugin_it_is_ctl(string executable, string words) =>
        Assert.Equal(words, string.Join(' ', CommandLine.AsInvoked(executable, ["pull", "x"])));

    /// <summary>Every mode asks for its cluster in the same place.</summary>
    [Theory]
    [InlineData("ctl get jobs")]
    [InlineData("ctl describe job a")]
    public async Task Whoever_skips_the_check_of_certificates_is_warned(string line)
    {
        var kubeconfig = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(kubeconfig, """
                current-context: c
                contexts: [{name: c, context: {cluster: c, user: u}}]
                clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
                users: [{name: u, user: {token: secret}}]
                """, TestContext.Current.CancellationToken);
            var (_, output, error) = await Run($"{line} --kubeconfig {kubeconfig}");
            Assert.StartsWith("warning: the kubeconfig has insecure-skip-tls-verify: ", error, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", output + error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(kubeconfig);
        }
    }
}
