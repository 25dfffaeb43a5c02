using System.CommandLine;
using KruiseImage.Modes.Ctl.Completion;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl wait JOB…": follows jobs and lists that somebody else created, exactly as "pull --wait" follows its own.</summary>
public static class WaitCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("JOB") { Arity = ArgumentArity.OneOrMore, Description = JobTargets.Description }.NamesOf(CtlKinds.Jobs).NamesOf(CtlKinds.Lists);
        var timeout = new Option<string?>("--timeout")
        {
            Description = "Stop waiting after so long; the jobs go on [default: never].",
            HelpName = "duration",
        };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json);
        var command = new DocumentedCommand("wait", "Follows jobs until every node has the images or failed.")
        {
            Examples = """
                kubectl apply -f job.yaml && kruise-image ctl wait job-with-always
                # several, and a list of images; the exit code is that of the worst
                kruise-image ctl wait web-1 web-2 list/release-7
                # in a pipeline: fail when it takes longer than ten minutes
                kruise-image ctl wait job-with-always --timeout 10m
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(names);
        command.Add(timeout);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var limit = DurationOption.Read(parsed, timeout);
            var words = JobTargets.Parse(parsed.GetValue(names)!);
            using var cluster = Cluster.Connect(parsed);
            var targets = await new JobTargets(cluster).Find(words, cancellationToken).ConfigureAwait(false);
            var follow = new FollowVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            return await follow.Run(targets, limit, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}
