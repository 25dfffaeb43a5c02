using System.CommandLine;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Reconcile.ImagePullJobs;

namespace KruiseImage.Modes.Ctl.Why;

/// <summary>"ctl why JOB [NODE…]": why nodes do not have the image yet, in the controller's own terms, and what to do about it.</summary>
public static class WhyCommand
{
    public static Command Create()
    {
        var job = new Argument<string>("JOB") { Description = "The name of the ImagePullJob." }.NamesOf(CtlKinds.Jobs);
        var nodes = new Argument<string[]>("NODE") { Arity = ArgumentArity.ZeroOrMore, Description = "Only these nodes, whatever they are at [default: all that are not done]." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml);
        var command = new DocumentedCommand("why", "Tells why nodes do not have a job's image yet, and what to do about it.")
        {
            Notes = """
                Opens the books of the job as a controller would that starts now, from the same objects and with the same rules.
                With few nodes, or with names, each node has its sentence; with many a line for each reason.
                """,
            Examples = """
                kruise-image ctl why nginx-1-9-1-x7k2p
                # one node, with everything that is known
                kruise-image ctl why nginx-1-9-1-x7k2p node-7
                # every reason, for a script
                kruise-image ctl why nginx-1-9-1-x7k2p -o json | jq -r '.nodes[] | [.node, .reason] | @tsv'
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(job);
        command.Add(nodes);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var cluster = Cluster.Connect(parsed);
            var verb = new WhyVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            return await verb.Run(parsed.GetValue(job)!, parsed.GetValue(nodes) ?? [], cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Reads the objects once, asks the books, writes the answer.</summary>
public sealed class WhyVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    public async Task<int> Run(string name, string[] nodes, CancellationToken cancellationToken)
    {
        var job = await cluster.Get(CtlKinds.Jobs, CtlKinds.Jobs.Resource, name, cancellationToken).ConfigureAwait(false);
        var account = await new WhyBooks(cluster, clock).Read(job, cancellationToken).ConfigureAwait(false);
        foreach (var node in nodes) RefuseUnknown(account, node);
        var now = clock.GetUtcNow();
        var shown = account.Nodes.Where(node => nodes.Length == 0 || nodes.Contains(node.Node)).Where(node => node.Reason == PullReason.NodeNotReady);
        var facts = await WhyFacts.Read(cluster.Client, shown.Select(node => node.Node), now, cancellationToken).ConfigureAwait(false);
        var report = WhyReport.Of(account, nodes, facts, now);
        if (format == OutputFormat.Table) terminal.Write(report.ToDescription(nodes.Length > 0));
        else terminal.Print(RawObject.Print(writer => JsonSerializer.Serialize(writer, report.ToJson(), CtlJson.Default.WhyJson), format));
        return ExitCode.Done;
    }

    private static void RefuseUnknown(JobAccount account, string node)
    {
        if (account.Nodes.Any(known => known.Node == node)) return;
        var hint = Nearest.To(node, account.Nodes.Select(known => known.Node)) is { } near ? $": did you mean \"{near}\"?" : "";
        throw CommandException.Failed($"there is no node \"{node}\"{hint}");
    }
}
