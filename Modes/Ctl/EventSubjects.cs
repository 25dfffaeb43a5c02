using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// Whose events "ctl events" tells: jobs, lists with their jobs, and of the NodeImages what they say of these jobs' images; or nodes with all
/// that they say. Found once, at the start.
/// </summary>
public sealed class EventSubjects
{
    private readonly HashSet<string> _uids = new(StringComparer.Ordinal);
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);
    /// <summary>Uid of a job to the image that daemons name in their events.</summary>
    private readonly Dictionary<string, string> _images = new(StringComparer.Ordinal);
    private readonly HashSet<(string Node, string Image)> _pulls = [];

    /// <exception cref="CommandException">A name that is nobody's.</exception>
    public static async Task<EventSubjects> Find(Cluster cluster, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        var subjects = new EventSubjects();
        var jobs = await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, new() { Namespace = cluster.Namespace }, cancellationToken).ConfigureAwait(false);
        var lists = await cluster.List(Resources.ImageListPullJobs, CtlKinds.Lists.Kind, new() { Namespace = cluster.Namespace }, cancellationToken).ConfigureAwait(false);
        var given = names.Select(Target.Of).ToList();
        var unknown = given.Where(target => !subjects.AddJobs(target, jobs, lists)).ToList();
        var nodes = new HashSet<string>(StringComparer.Ordinal);
        await cluster.ReadPages(Resources.NodeImages, CtlKinds.Nodes.Kind, new(), nodes.Clear, page => subjects.AddNodes(page, nodes), cancellationToken).ConfigureAwait(false);
        foreach (var target in unknown)
        {
            if (target.Kind is null or "node" && nodes.Contains(target.Name)) subjects._nodes.Add(target.Name);
            else throw Unknown(target, cluster.Namespace, [.. jobs.Select(job => job.Metadata.Name!), .. lists.Select(list => list.Metadata.Name!), .. nodes]);
        }
        return subjects;
    }

    /// <summary>Whether the event is about one of them.</summary>
    public bool Has(Event e)
    {
        if (e.InvolvedObject.Uid is { Length: > 0 } uid && _uids.Contains(uid)) return true;
        if (e.InvolvedObject.Kind != CtlKinds.Nodes.Kind || e.InvolvedObject.Name is not { } node) return false;
        return _nodes.Contains(node) || (e.Message?.Split([": ", " failed: "], StringSplitOptions.None)[0] is { } image && _pulls.Contains((node, image)));
    }

    private bool AddJobs(Target target, List<ImagePullJob> jobs, List<ImageListPullJob> lists)
    {
        if (target.Kind is null or "job" && jobs.Find(job => job.Metadata.Name == target.Name) is { } single)
        {
            AddJob(single);
            return true;
        }
        if (target.Kind is not (null or "list") || lists.Find(list => list.Metadata.Name == target.Name) is not { } list) return false;
        _uids.Add(list.Metadata.Uid ?? "");
        foreach (var job in jobs.Where(job => ListDescription.Owns(list, job))) AddJob(job);
        return true;
    }

    private void AddJob(ImagePullJob job)
    {
        _uids.Add(job.Metadata.Uid ?? "");
        if (ImageReference.TryParse(job.Spec.Image, out var image, out _)) _images[job.Metadata.Uid ?? ""] = image.ToString();
    }

    private void AddNodes(IReadOnlyList<NodeImage> page, HashSet<string> names)
    {
        foreach (var node in page)
        {
            names.Add(node.Metadata.Name ?? "");
            foreach (var entry in PullEntry.Of(node))
                foreach (var owner in entry.Spec.OwnerReferences ?? [])
                    if (_images.TryGetValue(owner.Uid ?? "", out var image)) _pulls.Add((entry.Node, image));
        }
    }

    private static CommandException Unknown(Target target, string @namespace, string[] known)
    {
        var what = target.Kind ?? "job, list or node";
        var hint = Nearest.To(target.Name, known) is { } near ? $": did you mean \"{near}\"?" : "";
        return CommandException.Failed($"there is no {what} \"{target.Name}\"{(target.Kind == "node" ? "" : $" in namespace \"{@namespace}\"")}{hint}");
    }

    /// <summary>"web", or "job/web", "list/web", "node/web" when it matters which.</summary>
    private sealed record Target(string? Kind, string Name)
    {
        public static Target Of(string text) => text.Split('/') switch
        {
            [var name] => new(null, name),
            ["job" or "list" or "node", { Length: > 0 }] parts => new(parts[0], parts[1]),
            _ => throw CommandException.Usage($"\"{text}\" is neither NAME nor job/NAME, list/NAME or node/NAME"),
        };
    }
}
