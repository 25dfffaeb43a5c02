using System.CommandLine;
using KruiseImage.Modes.Ctl.Completion;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl wait JOB": follows a job that somebody else created, exactly as "pull --wait" follows its own.</summary>
public static class WaitCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("JOB") { Description = "The name of the ImagePullJob." }.NamesOf(CtlKinds.Jobs);
        var timeout = new Option<string?>("--timeout")
        {
            Description = "Stop waiting after so long; the job goes on [default: never].",
            HelpName = "duration",
        };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json);
        var command = new DocumentedCommand("wait", "Follows a job until every node has the image or failed.")
        {
            Examples = """
                kubectl apply -f job.yaml && kruise-image ctl wait job-with-always
                # in a pipeline: fail when it takes longer than ten minutes
                kruise-image ctl wait job-with-always --timeout 10m
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(name);
        command.Add(timeout);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var limit = DurationOption.Read(parsed, timeout);
            using var cluster = Cluster.Connect(parsed);
            var job = await cluster.Get(CtlKinds.Jobs, CtlKinds.Jobs.Resource, parsed.GetValue(name)!, cancellationToken).ConfigureAwait(false);
            var follow = new FollowVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            return await follow.Run(job, limit, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}
