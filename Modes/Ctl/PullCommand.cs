using System.CommandLine;
using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl pull IMAGE": creates an ImagePullJob and, if asked to, follows it.</summary>
public static class PullCommand
{
    public static Command Create()
    {
        var options = new PullOptions();
        var wait = new Option<bool>("--wait", "-w") { Description = "Follow the job until every node has the image or failed." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml, OutputFormat.Name);
        var command = new DocumentedCommand("pull", "Pulls an image onto nodes, a few at a time.")
        {
            Examples = """
                # onto every node, ten at a time, and look on
                kruise-image ctl pull nginx:1.9.1 --parallelism 10 --wait
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
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // The command line is checked before the cluster is asked for anything, even for its address.
            var draft = options.Read(parsed);
            using var cluster = Cluster.Connect(parsed);
            var verb = new PullVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            var job = draft with { Metadata = draft.Metadata with { Namespace = cluster.Namespace } };
            return await verb.Run(job, parsed.GetValue(wait), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Creates the job and says how to go on.</summary>
public sealed class PullVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    public async Task<int> Run(ImagePullJob draft, bool wait, CancellationToken cancellationToken)
    {
        var job = await cluster.Create(draft, cancellationToken).ConfigureAwait(false);
        Announce(job, wait);
        return wait ? await new FollowVerb(cluster, terminal, format, clock).Run(job, null, cancellationToken).ConfigureAwait(false) : ExitCode.Done;
    }

    private void Announce(ImagePullJob job, bool wait)
    {
        if (format == OutputFormat.Name)
        {
            terminal.Say($"{CtlKinds.Jobs.NamePrefix}/{job.Metadata.Name}");
        }
        else if (format == OutputFormat.Yaml)
        {
            if (!wait) terminal.Print(YamlText.Of(JsonSerializer.SerializeToUtf8Bytes(job, CrdJson.Default.ImagePullJob)));
        }
        else if (format == OutputFormat.Json)
        {
            if (!wait) terminal.Say(JsonSerializer.Serialize(job, CrdJson.Default.ImagePullJob));
        }
        else
        {
            var where = $"nodes: {SpecWords.Nodes(job.Spec)}; {SpecWords.Parallelism(job.Spec)}";
            terminal.Say($"job {job.Metadata.Namespace}/{job.Metadata.Name} pulls {job.Spec.Image}; {where}");
            if (wait) return;
            var words = FollowReport.KubectlWords(job);
            terminal.Say($"follow it: kruise-image ctl wait {words}");
            terminal.Say($"stop it:   kubectl delete imagepulljob {words}");
        }
    }
}
