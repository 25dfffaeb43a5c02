using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Modes.Ctl.Images;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>"ctl retry JOB [NODE…]": another job for the nodes on which a job failed.</summary>
public static class RetryCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("JOB") { Description = "The name of an ImagePullJob, or job/NAME, or list/NAME for an ImageListPullJob." }
            .NamesOf(CtlKinds.Jobs).NamesOf(CtlKinds.Lists);
        var nodes = new Argument<string[]>("NODE") { Arity = ArgumentArity.ZeroOrMore, Description = "Only these of the failed nodes [default: all of them]." }.NamesOf(CtlKinds.Nodes);
        var failed = new Option<bool>("--failed") { Description = "The failed nodes: the only choice there is, for those who like to say so." };
        var parallelism = PullOptions.ParallelismOption("How many nodes pull at once [default: as the job].");
        var wait = new Option<bool>("--wait", "-w") { Description = "Follow the pulls until every node has the image or failed." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml, OutputFormat.Name);
        var command = new DocumentedCommand("retry", "Pulls again on the nodes on which a job failed.")
        {
            Notes = """
                What a job reached is never taken back, so a new job is made: the same image, policies and secrets, for the failed nodes by
                their names. Of a list there is one for each image that failed somewhere.
                """,
            Examples = """
                kruise-image ctl retry nginx-1-9-1-x7k2p --wait
                # two of the nodes; a list, more at once
                kruise-image ctl retry nginx-1-9-1-x7k2p node-7 node-8
                kruise-image ctl retry list/release-7 --parallelism 20
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(name);
        command.Add(nodes);
        Option[] options = [failed, parallelism, wait, output];
        foreach (var option in options) command.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var words = JobTargets.Parse([parsed.GetValue(name)!]);
            var wanted = PullOptions.ParallelismOf(parsed, parallelism);
            using var cluster = Cluster.Connect(parsed);
            var terminal = Terminal.Of(parsed);
            var retry = new RetryVerb(cluster, terminal, TimeProvider.System);
            var target = (await new JobTargets(cluster).Find(words, cancellationToken).ConfigureAwait(false))[0];
            var drafts = await retry.Drafts(target, parsed.GetValue(nodes) ?? [], wanted, cancellationToken).ConfigureAwait(false);
            if (drafts.Count == 0) return ExitCode.Done;
            var pull = new PullVerb(cluster, terminal, parsed.GetValue(output), TimeProvider.System);
            return await pull.Run(drafts, parsed.GetValue(wait), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Finds out which nodes failed, and makes the jobs for them. Creates nothing.</summary>
public sealed class RetryVerb(Cluster cluster, Terminal terminal, TimeProvider clock)
{
    private const string NameEnd = "-retry-";

    /// <summary>generateName and the server's five letters are a label value.</summary>
    private const int MaxNameLength = 63 - 5;

    /// <param name="only">Empty: all that failed.</param>
    public async Task<List<PullDraft>> Drafts(IKubeObject target, IReadOnlyCollection<string> only, IntOrPercent? parallelism, CancellationToken cancellationToken)
    {
        var writer = new JobWriter(cluster, clock);
        var jobs = target is ImageListPullJob list ? await writer.JobsOf(list, cancellationToken).ConfigureAwait(false) : [(ImagePullJob)target];
        var drafts = new List<PullDraft>();
        var failed = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var job in jobs.Where(job => job.Status?.Failed > 0))
        {
            var nodes = await FailedNodes(job, cancellationToken).ConfigureAwait(false);
            failed.UnionWith(nodes);
            if (only.Count > 0) nodes.IntersectWith(only);
            if (nodes.Count > 0) drafts.Add(DraftOf(job, await writer.Read(job, cancellationToken).ConfigureAwait(false), [.. nodes], parallelism));
        }
        if (only.FirstOrDefault(node => !failed.Contains(node)) is { } other)
        {
            var near = Nearest.To(other, failed);
            throw CommandException.Failed($"node \"{other}\" has not failed for {JobWords.NounAndKeyOf(target)}{(near is null ? "" : $": did you mean \"{near}\"?")}");
        }
        if (failed.Count == 0) terminal.Note($"{JobWords.NounAndKeyOf(target)}: no node has failed, there is nothing to retry");
        return drafts;
    }

    /// <summary>
    /// The status names them all, as far as an object can hold them; the NodeImages know the rest, while the job's entries are there and
    /// the person may read them.
    /// </summary>
    private async Task<SortedSet<string>> FailedNodes(ImagePullJob job, CancellationToken cancellationToken)
    {
        var status = job.Status!;
        var nodes = new SortedSet<string>([.. status.FailedNodes ?? [], .. (status.Failures ?? []).SelectMany(failure => failure.Nodes ?? [])], StringComparer.Ordinal);
        if (nodes.Count >= status.Failed) return nodes;
        var page = await cluster.Client.List(Resources.NodeImages, NodeImageQuery.For(job.Spec) with { Limit = 1 }, cancellationToken).ConfigureAwait(false);
        if (page.IsOk)
        {
            var all = await cluster.List(Resources.NodeImages, CtlKinds.Nodes.Kind, NodeImageQuery.For(job.Spec), cancellationToken).ConfigureAwait(false);
            nodes.UnionWith(all.SelectMany(PullEntry.Of).Where(entry => entry.IsOwnedBy(job.Metadata.Uid) && entry.Phase == PullPhase.Failed).Select(entry => entry.Node));
        }
        if (nodes.Count < status.Failed) terminal.Note($"{JobWords.KeyOf(job)}: of {status.Failed} failed nodes {nodes.Count} can be told by name, only these are retried");
        return nodes;
    }

    private static PullDraft DraftOf(ImagePullJob job, System.Text.Json.JsonElement json, List<string> nodes, IntOrPercent? parallelism)
    {
        var template = Cancelling.TemplateOf(job, json);
        var isPaused = template.Parallelism?.Of(1) == 0;
        var name = job.Metadata.Name!;
        var policy = template.CompletionPolicy;
        return new(
            new() { Namespace = job.Metadata.Namespace, GenerateName = $"{name[..Math.Min(name.Length, MaxNameLength - NameEnd.Length)].TrimEnd('-', '.')}{NameEnd}" },
            new ImagePullJobTemplate
            {
                PullSecrets = template.PullSecrets,
                Selector = new() { Names = nodes },
                Parallelism = parallelism ?? (isPaused ? null : template.Parallelism),
                // One that goes on for ever has its turn of each node once.
                CompletionPolicy = Defaults.CompletesNever(policy) ? null : policy,
                PullPolicy = template.PullPolicy,
                SandboxConfig = template.SandboxConfig,
                ImagePullPolicy = template.ImagePullPolicy,
            },
            [job.Spec.Image!]);
    }
}
