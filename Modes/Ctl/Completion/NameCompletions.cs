using System.CommandLine;
using System.CommandLine.Completions;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Completion;

/// <summary>Lets the Tab key ask the cluster for the names that an argument takes.</summary>
public static class NameCompletions
{
    /// <summary>Whoever waits longer has typed the name.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>More than anybody reads.</summary>
    private const int MaxNames = 500;

    /// <summary>Those of one kind, without those that the line has already.</summary>
    public static Argument<TValue> NamesOf<TValue, T>(this Argument<TValue> argument, CtlKind<T> kind)
        where T : class, IKubeObject
    {
        // The library asks synchronously; in the process of a Tab there is nothing else to run.
        argument.CompletionSources.Add(context => Task.Run(() => Names(kind, context.ParseResult)).GetAwaiter().GetResult());
        return argument;
    }

    private static async Task<IEnumerable<CompletionItem>> Names<T>(CtlKind<T> kind, ParseResult parsed)
        where T : class, IKubeObject
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            using var cluster = Cluster.Connect(parsed);
            var query = new ListQuery { Namespace = kind.Resource.Namespaced ? cluster.Namespace : null, Limit = MaxNames };
            var page = await cluster.Client.List(kind.Resource, query, patience.Token).ConfigureAwait(false);
            var given = parsed.Tokens.Select(token => token.Value).ToHashSet(StringComparer.Ordinal);
            return [.. from item in page.Value?.Items ?? []
                       where item.Metadata.Name is { } name && !given.Contains(name)
                       select new CompletionItem(item.Metadata.Name!)];
        }
        catch (Exception unreachable) when (unreachable is CommandException or OperationCanceledException)
        {
            return []; // no cluster, no names: at a Tab there is no place for an error
        }
    }
}
