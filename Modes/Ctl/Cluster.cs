using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// The cluster as a verb sees it: it answers, or the command ends with a sentence that says what to do. Turns the API's error
/// values into <see cref="CommandException"/>, reads lists to their end, finds what a mistyped name meant.
/// </summary>
public sealed class Cluster(IKubeClient client, string @namespace) : IDisposable
{
    private const int PageSize = 500;

    /// <summary>Nothing is sent yet.</summary>
    public static Cluster Connect(ParseResult parsed)
    {
        var (config, @namespace) = ConnectionOptions.Load(parsed);
        return new Cluster(new KubeClient(config, ProductVersion.CtlUserAgent), @namespace);
    }

    public IKubeClient Client => client;

    /// <summary>Of --namespace, else of the kubeconfig's context.</summary>
    public string Namespace => @namespace;

    /// <summary>All pages.</summary>
    public async Task<List<T>> List<T>(Resource<T> resource, string kind, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var items = new List<T>();
        await ReadPages(resource, kind, query, items.Clear, items.AddRange, cancellationToken).ConfigureAwait(false);
        return items;
    }

    /// <summary>One page after the other: no more than one is held at a time.</summary>
    /// <param name="begin">Called before the first page, and again when it has to be read from the start: forget what was read.</param>
    public async Task ReadPages<T>(
        Resource<T> resource, string kind, ListQuery query, Action begin, Action<IReadOnlyList<T>> take, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        begin();
        query = query with { Limit = PageSize };
        while (true)
        {
            var page = await client.List(resource, query, cancellationToken).ConfigureAwait(false);
            if (page.Error == ApiError.Gone && query.Continue is not null)
            {
                // The token grew old between two pages: from the start again, or names would be missing.
                begin();
                query = query with { Continue = null };
                continue;
            }
            if (!page.IsOk) throw RefusalOf(page, kind);
            take(page.Value!.Items);
            if (string.IsNullOrEmpty(page.Value.Metadata.Continue)) return;
            query = query with { Continue = page.Value.Metadata.Continue };
        }
    }

    /// <summary>The object, or a sentence with the name that was probably meant.</summary>
    public async Task<TResult> Get<T, TResult>(CtlKind<T> kind, Resource<TResult> resource, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject
        where TResult : class, IKubeObject
    {
        var scope = resource.Namespaced ? @namespace : null;
        var answer = await client.Get(resource, scope, name, cancellationToken).ConfigureAwait(false);
        if (answer.IsOk) return answer.Value!;
        if (answer.Error != ApiError.NotFound) throw Refusal(answer.Error, answer.Message);

        // Either the name is unknown or the whole kind is; the list tells which, and what the name may have meant.
        var known = await List(kind.Resource, kind.Kind, new() { Namespace = scope }, cancellationToken).ConfigureAwait(false);
        if (await OtherKind(kind.Kind, name, cancellationToken).ConfigureAwait(false) is { } other)
            throw CommandException.Failed($"\"{name}\" is a {other}, not a {kind.Noun}: see kruise-image ctl describe {other} {name}");
        var names = known.Select(item => item.Metadata.Name ?? "");
        var place = scope is null ? "" : $" in namespace \"{scope}\"";
        var hint = Nearest.To(name, names) is { } near ? $": did you mean \"{near}\"?" : "";
        throw CommandException.Failed($"there is no {kind.Noun} \"{name}\"{place}{hint}");
    }

    /// <summary>Jobs and lists are easily taken for one another.</summary>
    /// <returns>The noun of the other kind, if that has an object of this name.</returns>
    private async Task<string?> OtherKind(string kind, string name, CancellationToken cancellationToken)
    {
        if (kind == CtlKinds.Jobs.Kind)
            return (await client.Get(CtlKinds.Lists.Resource, @namespace, name, cancellationToken).ConfigureAwait(false)).IsOk ? CtlKinds.Lists.Noun : null;
        if (kind != CtlKinds.Lists.Kind) return null;
        return (await client.Get(CtlKinds.Jobs.Resource, @namespace, name, cancellationToken).ConfigureAwait(false)).IsOk ? CtlKinds.Jobs.Noun : null;
    }

    public async Task<T> Create<T>(CtlKind<T> kind, T draft, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var answer = await client.Create(kind.Resource, draft, cancellationToken).ConfigureAwait(false);
        if (answer.IsOk) return answer.Value!;
        var (place, name) = (draft.Metadata.Namespace, draft.Metadata.Name);
        if (answer.Error == ApiError.AlreadyExists)
        {
            throw CommandException.Failed(
                $"there is already a {kind.Noun} \"{name}\" in namespace \"{place}\": choose another --name, or follow that one: ctl wait {JobWords.NameOf(draft)}");
        }
        if (answer.Error != ApiError.NotFound) throw Refusal(answer.Error, answer.Message);

        // The namespace is missing, or the kind.
        var probe = await client.List(kind.Resource, new() { Namespace = place, Limit = 1 }, cancellationToken).ConfigureAwait(false);
        throw probe.Error == ApiError.NotFound ? NotInstalled(kind.Kind) : CommandException.Failed($"there is no namespace \"{place}\"");
    }

    public void Dispose() => (client as IDisposable)?.Dispose();

    /// <summary>Of a list: the kind may be unknown.</summary>
    public static CommandException RefusalOf<T>(ApiResult<T> list, string kind)
        where T : class => list.Error == ApiError.NotFound ? NotInstalled(kind) : Refusal(list.Error, list.Message);

    /// <summary>What the API's error means to the person at the keyboard.</summary>
    public static CommandException Refusal(ApiError error, string message) => error switch
    {
        ApiError.Unavailable => CommandException.Unreachable(message),
        ApiError.Unauthorized => CommandException.Unreachable($"the cluster does not accept the credentials of this kubeconfig: {message}"),
        ApiError.Forbidden => CommandException.Unreachable($"the cluster does not allow it: {message}"),
        ApiError.TooManyRequests => CommandException.Unreachable($"the API server is overloaded, try again in a while: {message}"),
        _ => CommandException.Failed($"the API server refused: {message}"),
    };

    private static CommandException NotInstalled(string kind) =>
        CommandException.Failed($"the cluster does not know {kind}s: run `kruise-image ctl install`");
}
