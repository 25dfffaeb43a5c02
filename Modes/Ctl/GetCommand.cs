using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get jobs|lists|nodes|images [NAME…]": tables for people, JSON or YAML as the server has it, names for xargs.</summary>
public static class GetCommand
{
    public static Command Create()
    {
        var command = new DocumentedCommand("get", "Lists jobs, lists of images, nodes or images.")
        {
            Examples = """
                # the jobs of this namespace; of all namespaces
                kruise-image ctl get jobs
                kruise-image ctl get jobs -A
                # what every node is pulling now
                kruise-image ctl get nodes
                # which image is on how many nodes, and whether all have the same bytes
                kruise-image ctl get images
                # for scripts
                kruise-image ctl get jobs -o json | jq '.items[].status.failed'
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(Kind(CtlKinds.Jobs, "jobs", ["job", "ipj"], JobTable.Of));
        command.Add(Kind(CtlKinds.Lists, "lists", ["list", "ilpj"], ListTable.Of));
        command.Add(Kind(CtlKinds.Nodes, "nodes", ["node", "nimg"], (nodes, _, isWide, now) => NodeTable.Of(nodes, isWide, now)));
        command.Add(GetImagesCommand.Create());
        return command;
    }

    private static DocumentedCommand Kind<T>(CtlKind<T> kind, string name, string[] aliases, ListView<T> view)
        where T : class, IKubeObject
    {
        var names = new Argument<string[]>("NAME") { Arity = ArgumentArity.ZeroOrMore, Description = $"Only these {name} [default: all]." }.NamesOf(kind);
        var selector = new Option<string?>("--selector", "-l") { Description = "Only those with these labels.", HelpName = "k=v,k2 in (a,b)" };
        var all = new Option<bool>("--all-namespaces", "-A") { Description = "Of all namespaces." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Wide, OutputFormat.Json, OutputFormat.Yaml, OutputFormat.Name);
        var command = new DocumentedCommand(name, $"Lists {kind.Kind}s.") { names, selector, output };
        foreach (var alias in aliases) command.Aliases.Add(alias);
        if (kind.Resource.Namespaced) command.Add(all);

        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isAll = kind.Resource.Namespaced && parsed.GetValue(all);
            var wanted = parsed.GetValue(names) ?? [];
            var labels = parsed.GetValue(selector);
            if (wanted.Length > 0 && (isAll || labels is not null))
                throw CommandException.Usage($"names exclude {(isAll ? all.Name : selector.Name)}: ask for one or the other");
            if (labels is not null) SelectorText.Parse(selector.Name, labels);
            using var cluster = Cluster.Connect(parsed);
            var verb = new GetVerb<T>(kind, cluster, Terminal.Of(parsed), parsed.GetValue(output), TimeProvider.System);
            return await verb.Run(wanted, labels, isAll, view, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>How a list of one kind becomes a table.</summary>
public delegate TableView ListView<T>(List<T> items, bool withNamespace, bool isWide, DateTimeOffset now);

/// <summary>Reads what "get" was asked for and writes it in one of the formats.</summary>
public sealed class GetVerb<T>(CtlKind<T> kind, Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
    where T : class, IKubeObject
{
    public async Task<int> Run(string[] names, string? labels, bool allNamespaces, ListView<T> view, CancellationToken cancellationToken)
    {
        var query = new ListQuery { Namespace = kind.Resource.Namespaced && !allNamespaces ? cluster.Namespace : null, LabelSelector = labels };
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            var objects = await Read(kind.Raw, names, query, cancellationToken).ConfigureAwait(false);
            terminal.Print(names.Length == 1 ? objects[0].Print(kind.Kind, format) : RawObject.PrintList(objects, kind.Kind, format));
            return ExitCode.Done;
        }

        var items = await Read(kind.Resource, names, query, cancellationToken).ConfigureAwait(false);
        if (items.Count == 0) terminal.Note($"there are no {kind.Noun}s{(query.Namespace is { } place ? $" in namespace \"{place}\"" : "")}");
        else if (format != OutputFormat.Name) terminal.Write(view(items, allNamespaces, format == OutputFormat.Wide, clock.GetUtcNow()));
        else foreach (var item in items) terminal.Say($"{kind.NamePrefix}/{item.Metadata.Name}");
        return ExitCode.Done;
    }

    private async Task<List<TItem>> Read<TItem>(
        Resource<TItem> resource, string[] names, ListQuery query, CancellationToken cancellationToken)
        where TItem : class, IKubeObject
    {
        if (names.Length == 0) return await cluster.List(resource, kind.Kind, query, cancellationToken).ConfigureAwait(false);
        var items = new List<TItem>();
        foreach (var name in names) items.Add(await cluster.Get(kind, resource, name, cancellationToken).ConfigureAwait(false));
        return items;
    }
}
