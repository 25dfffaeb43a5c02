using System.CommandLine;
using KruiseImage.Modes.Ctl.Images;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl pull IMAGE…": creates an ImagePullJob, of several images an ImageListPullJob, and, if asked to, follows it.</summary>
public static class PullCommand
{
    public static Command Create()
    {
        var options = new PullOptions();
        var wait = new Option<bool>("--wait", "-w") { Description = "Follow the pulls until every node has the images or failed." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml, OutputFormat.Name);
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Create nothing: tell which nodes each image goes to, how many have it, how much there is to fetch and whether it fits. With -o yaml or json: the objects.",
        };
        var plainHttp = new Option<bool>("--plain-http") { Description = "With --dry-run: ask registries for sizes without TLS." };
        var command = new DocumentedCommand("pull", "Pulls images onto nodes, a few at a time.")
        {
            Examples = """
                # onto every node, ten at a time, and look on
                kruise-image ctl pull nginx:1.9.1 --parallelism 10 --wait
                # several images: one list of jobs
                kruise-image ctl pull nginx:1.9.1 redis:7.2 quay.io/org/app:v2 --wait
                # what a workload needs, where its pods may come to, with its pull secrets; what a release will need, before it
                kruise-image ctl pull --from deployment/web --from cronjob/report
                kruise-image ctl pull -f manifests/ && helm template shop ./chart | kruise-image ctl pull -n shop -f - --wait
                # how much is that, and does it fit? And the same for GitOps
                kruise-image ctl pull --from deployment/web --dry-run
                kruise-image ctl pull -f manifests/ --dry-run -o yaml | kubectl apply -f -
                # onto two nodes; onto nodes with a label; onto the nodes where app=web runs
                kruise-image ctl pull nginx:1.9.1 --nodes node-1,node-2
                kruise-image ctl pull nginx:1.9.1 --selector 'pool in (web,edge)' --parallelism 25%
                kruise-image ctl pull nginx:1.9.2 --pod-selector app=web --wait
                # from a private registry, in a pipeline: at most 20 minutes, cleaned up an hour later
                kruise-image ctl pull registry.example/app:v2 --pull-secret registry --deadline 20m --ttl 1h --wait -o json
                """,
            ExitCodes = ExitCode.Table,
        };
        options.AddTo(command);
        command.Add(wait);
        command.Add(dryRun);
        command.Add(plainHttp);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // The command line and the files are checked before the cluster is asked for anything, even for its address.
            var request = options.Read(parsed);
            if (parsed.GetValue(dryRun) && parsed.GetValue(wait)) throw CommandException.Usage("--dry-run creates nothing for --wait to follow: leave one of them out");
            var terminal = Terminal.Of(parsed);
            var files = new WorkloadFiles();
            foreach (var (where, text) in YamlFiles.Read(request.Files, Terminal.Input)) files.Add(where, text);
            if (files.Skipped is { } skipped) terminal.Note($"note: {skipped}");
            using var cluster = Cluster.Connect(parsed);
            var live = new LiveWorkloads(cluster, sentence => terminal.Note($"note: {sentence}"));
            var workloads = files.Workloads.ToList();
            foreach (var name in request.From) workloads.Add(await live.Read(name, cancellationToken).ConfigureAwait(false));
            var drafts = request.Drafts(workloads, cluster.Namespace, sentence => terminal.Note($"note: {sentence}"));
            if (parsed.GetValue(dryRun))
                return await new DryRunVerb(cluster, terminal, parsed.GetValue(output)).Run(drafts, parsed.GetValue(plainHttp), cancellationToken).ConfigureAwait(false);
            var verb = new PullVerb(cluster, terminal, parsed.GetValue(output), TimeProvider.System);
            return await verb.Run(drafts, parsed.GetValue(wait), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}
