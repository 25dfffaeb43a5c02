using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Finds the jobs and lists that a person named: "job/a", "list/b", what "-o name" prints, or a name alone, which is that of a job or
/// else of a list. Nothing is done to any before all are found.
/// </summary>
public sealed class JobTargets(Cluster cluster)
{
    public const string Description = "The name of an ImagePullJob, or job/NAME, or list/NAME for an ImageListPullJob; may be repeated.";

    private static readonly string[] JobNouns = ["job", "jobs", "ipj", "imagepulljob", "imagepulljobs"];
    private static readonly string[] ListNouns = ["list", "lists", "ilpj", "imagelistpulljob", "imagelistpulljobs"];

    /// <summary>What the words name, each once, before any cluster is asked.</summary>
    /// <param name="IsJob">Null: not said.</param>
    public sealed record Word(bool? IsJob, string Name);

    /// <exception cref="CommandException">A kind is unknown, or what follows is no name.</exception>
    public static List<Word> Parse(IEnumerable<string> texts) => [.. texts.Select(Parse).Distinct()];

    /// <returns>As the server has them, in the order of the words.</returns>
    public async Task<List<IKubeObject>> Find(IReadOnlyList<Word> words, CancellationToken cancellationToken)
    {
        var found = new List<IKubeObject>();
        foreach (var word in words)
        {
            var target = await Find(word, cancellationToken).ConfigureAwait(false);
            if (!found.Exists(other => other.Metadata.Uid == target.Metadata.Uid)) found.Add(target);
        }
        return found;
    }

    private static Word Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var noun = slash < 0 ? null : text[..slash].ToLowerInvariant();
        if (noun?.EndsWith($".{Defaults.Group}", StringComparison.Ordinal) ?? false) noun = noun[..^(Defaults.Group.Length + 1)];
        bool? isJob = noun is null ? null
            : JobNouns.Contains(noun) ? true
            : ListNouns.Contains(noun) ? false
            : throw CommandException.Usage($"\"{text}\": write NAME, job/NAME or list/NAME");
        var name = text[(slash + 1)..];
        return Validation.IsObjectName(name) ? new(isJob, name) : throw CommandException.Usage($"\"{text}\": {Quoted.Of(name)} cannot be the name of a job");
    }

    private async Task<IKubeObject> Find(Word word, CancellationToken cancellationToken)
    {
        if (word.IsJob == true) return await cluster.Get(CtlKinds.Jobs, CtlKinds.Jobs.Resource, word.Name, cancellationToken).ConfigureAwait(false);
        if (word.IsJob == false) return await cluster.Get(CtlKinds.Lists, CtlKinds.Lists.Resource, word.Name, cancellationToken).ConfigureAwait(false);
        var job = await cluster.Client.Get(Resources.ImagePullJobs, cluster.Namespace, word.Name, cancellationToken).ConfigureAwait(false);
        if (job.IsOk) return job.Value!;
        if (job.Error != ApiError.NotFound) throw Cluster.Refusal(job.Error, job.Message);
        var list = await cluster.Client.Get(Resources.ImageListPullJobs, cluster.Namespace, word.Name, cancellationToken).ConfigureAwait(false);
        if (list.IsOk) return list.Value!;
        if (list.Error != ApiError.NotFound) throw Cluster.Refusal(list.Error, list.Message);
        throw await Unknown(word.Name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A sentence with the name that was probably meant.</summary>
    private async Task<CommandException> Unknown(string name, CancellationToken cancellationToken)
    {
        var query = new ListQuery { Namespace = cluster.Namespace };
        var jobs = await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, query, cancellationToken).ConfigureAwait(false);
        var lists = await cluster.List(Resources.ImageListPullJobs, CtlKinds.Lists.Kind, query, cancellationToken).ConfigureAwait(false);
        var near = Nearest.To(name, [.. jobs.Select(job => job.Metadata.Name ?? ""), .. lists.Select(list => list.Metadata.Name ?? "")]);
        return CommandException.Failed($"there is no job or list \"{name}\" in namespace \"{cluster.Namespace}\"{(near is null ? "" : $": did you mean \"{near}\"?")}");
    }
}
