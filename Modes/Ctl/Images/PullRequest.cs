using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>What the command line of "pull" asks for, and the jobs and lists that come of it. Pure.</summary>
/// <param name="Images">Those that are named there.</param>
/// <param name="Template">With the nodes, if they are chosen there: then they hold for workloads too.</param>
/// <param name="Name">Null: made from images and workloads.</param>
public sealed record PullRequest(PullImages Images, ImagePullJobTemplate Template, string? Name, IReadOnlyList<WorkloadName> From, IReadOnlyList<string> Files)
{
    private sealed record Group(string Namespace, ImagePullJobTemplate Template, PullImages Images, List<string> Names);

    private bool ChoosesNodes => Template.Selector is not null || Template.PodSelector is not null;

    /// <summary>Images that go to the same nodes, with the same secrets, in the same namespace, are one job or list.</summary>
    /// <param name="namespace">Of what names none.</param>
    /// <param name="note">Told once of each workload what a job cannot say.</param>
    /// <exception cref="CommandException">With the first image or rule that is wrong.</exception>
    public List<PullDraft> Drafts(IEnumerable<Workload> workloads, string @namespace, Action<string> note)
    {
        var groups = new List<(string Key, Group Group)>();
        if (Images.Texts.Count > 0) groups.Add((KeyOf(@namespace, Template), new(@namespace, Template, Images, [])));
        foreach (var workload in workloads)
        {
            var template = TemplateOf(workload, note);
            var place = workload.Namespace ?? @namespace;
            var key = KeyOf(place, template);
            var group = groups.Find(known => known.Key == key).Group;
            if (group is null) groups.Add((key, group = new(place, template, new(), [])));
            workload.AddImagesTo(group.Images);
            if (!group.Names.Contains(workload.Name)) group.Names.Add(workload.Name);
        }
        var drafts = groups.Where(group => group.Group.Images.Texts.Count > 0).SelectMany(group => DraftsOf(group.Group)).ToList();
        if (drafts.Count == 0) throw CommandException.Usage("nothing of what was named has an image");
        if (Name is not null && drafts.Count > 1)
            throw CommandException.Usage($"--name names one job, and this makes {drafts.Count}, for other nodes, secrets or namespaces each: leave it out");
        return drafts;
    }

    /// <summary>More images than one list may have are several.</summary>
    private IEnumerable<PullDraft> DraftsOf(Group group)
    {
        var prefix = group.Names.Count > 0 ? JobName.Prefix(group.Names[0], group.Names.Count) : JobName.Prefix(group.Images.References);
        foreach (var images in group.Images.Texts.Chunk(Defaults.MaxImages))
        {
            var draft = new PullDraft(new() { Namespace = group.Namespace, Name = Name, GenerateName = Name is null ? prefix : null }, group.Template, images);
            yield return draft.Error is { } sentence ? throw CommandException.Usage(sentence) : draft;
        }
    }

    private ImagePullJobTemplate TemplateOf(Workload workload, Action<string> note)
    {
        var secrets = (Template.PullSecrets ?? []).Union(workload.Secrets).ToList();
        var template = Template with { PullSecrets = secrets.Count > 0 ? secrets : null };
        if (ChoosesNodes) return template;
        template = template with { Selector = workload.Nodes(out var leftOut) };
        if (leftOut is not null) note($"{workload.Title}: {leftOut}: it is left out, and the images go to these nodes: {SpecWords.Nodes(template)}");
        return template;
    }

    private static string KeyOf(string @namespace, ImagePullJobTemplate template) =>
        $"{@namespace} {JsonSerializer.Serialize(template with { PullSecrets = template.PullSecrets?.Order(StringComparer.Ordinal).ToList() }, CrdJson.Default.ImagePullJobTemplate)}";
}
