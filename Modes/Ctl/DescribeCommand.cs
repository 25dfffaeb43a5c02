using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl describe job|list|node NAME": everything about one of them, in words.</summary>
public static class DescribeCommand
{
    public static Command Create()
    {
        var command = new DocumentedCommand("describe", "Tells everything about one job, list or node, failures first.")
        {
            Examples = """
                # why does a node not have the image?
                kruise-image ctl describe job nginx-1-9-1-x7k2p
                kruise-image ctl describe list web
                kruise-image ctl describe node node-1
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(Subject(CtlKinds.Jobs, ["jobs", "ipj"], "What a job asks for, how far it is, and each node's state.",
            (verb, name, cancellationToken) => verb.Job(name, cancellationToken)));
        command.Add(Subject(CtlKinds.Lists, ["lists", "ilpj"], "What a list asks for, how far each of its images is, and which failed.",
            (verb, name, cancellationToken) => verb.List(name, cancellationToken)));
        command.Add(Subject(CtlKinds.Nodes, ["nodes", "nimg"], "Every image that a node was asked for, for whom, and what became of it.",
            (verb, name, cancellationToken) => verb.Node(name, cancellationToken)));
        return command;
    }

    private static DocumentedCommand Subject<T>(
        CtlKind<T> kind, string[] aliases, string summary, Func<DescribeVerb, string, CancellationToken, Task<Description>> describe)
        where T : class, IKubeObject
    {
        var name = new Argument<string>("NAME") { Description = $"The name of the {kind.Noun}." }.NamesOf(kind);
        var command = new DocumentedCommand(kind.Noun, summary) { name };
        foreach (var alias in aliases) command.Aliases.Add(alias);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var cluster = Cluster.Connect(parsed);
            var verb = new DescribeVerb(cluster, TimeProvider.System);
            Terminal.Of(parsed).Write(await describe(verb, parsed.GetValue(name)!, cancellationToken).ConfigureAwait(false));
            return ExitCode.Done;
        });
        return command;
    }
}

/// <summary>Reads the objects that a description is made of.</summary>
public sealed class DescribeVerb(Cluster cluster, TimeProvider clock)
{
    public async Task<Description> Job(string name, CancellationToken cancellationToken)
    {
        var job = await cluster.Get(CtlKinds.Jobs, CtlKinds.Jobs.Resource, name, cancellationToken).ConfigureAwait(false);
        var query = NodeImageQuery.For(job.Spec);
        var nodes = await cluster.List(Resources.NodeImages, CtlKinds.Nodes.Kind, query, cancellationToken).ConfigureAwait(false);
        var events = await Events(job.Metadata.Namespace, CtlKinds.Jobs.Kind, name, cancellationToken).ConfigureAwait(false);
        return JobDescription.Of(job, nodes, events, clock.GetUtcNow());
    }

    public async Task<Description> List(string name, CancellationToken cancellationToken)
    {
        var list = await cluster.Get(CtlKinds.Lists, CtlKinds.Lists.Resource, name, cancellationToken).ConfigureAwait(false);
        var jobs = await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, new() { Namespace = list.Metadata.Namespace }, cancellationToken).ConfigureAwait(false);
        var events = await Events(list.Metadata.Namespace, CtlKinds.Lists.Kind, name, cancellationToken).ConfigureAwait(false);
        return ListDescription.Of(list, jobs, events, clock.GetUtcNow());
    }

    public async Task<Description> Node(string name, CancellationToken cancellationToken)
    {
        var node = await cluster.Get(CtlKinds.Nodes, CtlKinds.Nodes.Resource, name, cancellationToken).ConfigureAwait(false);
        var events = await Events(null, CtlKinds.Nodes.Kind, name, cancellationToken).ConfigureAwait(false);
        return NodeDescription.Of(node, events, clock.GetUtcNow());
    }

    /// <summary>Events help, nothing depends on them: who may not read them gets the rest.</summary>
    private async Task<List<Event>> Events(string? @namespace, string kind, string name, CancellationToken cancellationToken)
    {
        var query = new ListQuery { Namespace = @namespace, FieldSelector = $"involvedObject.kind={kind},involvedObject.name={name}", Limit = 500 };
        var page = await cluster.Client.List(Resources.Events, query, cancellationToken).ConfigureAwait(false);
        return page.IsOk ? page.Value!.Items : [];
    }
}
