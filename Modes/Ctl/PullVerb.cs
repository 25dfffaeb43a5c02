using System.Text;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Images;

namespace KruiseImage.Modes.Ctl;

/// <summary>Creates the jobs and lists and says how to go on.</summary>
public sealed class PullVerb(Cluster cluster, Terminal terminal, OutputFormat format, TimeProvider clock)
{
    /// <summary>More than these are counted, not named.</summary>
    private const int MaxImagesNamed = 4;

    public async Task<int> Run(IReadOnlyList<PullDraft> drafts, bool wait, CancellationToken cancellationToken)
    {
        var created = new List<IKubeObject>();
        foreach (var draft in drafts)
        {
            IKubeObject target = draft.Job is { } job
                ? await cluster.Create(CtlKinds.Jobs, job, cancellationToken).ConfigureAwait(false)
                : await cluster.Create(CtlKinds.Lists, draft.List!, cancellationToken).ConfigureAwait(false);
            created.Add(target);
            Announce(target, draft, created.Count == 1, wait);
        }
        if (wait) return await new FollowVerb(cluster, terminal, format, clock).Run(created, null, cancellationToken).ConfigureAwait(false);
        if (format == OutputFormat.Table) SayHowToGoOn(created);
        return ExitCode.Done;
    }

    private void Announce(IKubeObject target, PullDraft draft, bool isFirst, bool wait)
    {
        if (format == OutputFormat.Name)
        {
            terminal.Say(JobWords.FullNameOf(target));
        }
        else if (format == OutputFormat.Json)
        {
            if (!wait) terminal.Say(Encoding.UTF8.GetString(PullDraft.Json(target)));
        }
        else if (format == OutputFormat.Yaml)
        {
            if (!wait) terminal.Print($"{(isFirst ? "" : "---\n")}{YamlText.Of(PullDraft.Json(target))}");
        }
        else
        {
            var where = $"nodes: {SpecWords.Nodes(draft.Template)}; {SpecWords.Parallelism(draft.Template)}";
            terminal.Say($"{JobWords.NounAndKeyOf(target)} pulls {ImagesOf(draft)}; {where}");
        }
    }

    private static string ImagesOf(PullDraft draft)
    {
        if (draft.Images is [var image]) return image;
        var named = string.Join(", ", draft.Images.Take(MaxImagesNamed));
        var rest = draft.Images.Count - MaxImagesNamed;
        return $"{draft.Images.Count} images: {named}{(rest > 0 ? $" and {rest} more" : "")}";
    }

    private void SayHowToGoOn(List<IKubeObject> created)
    {
        var it = created.Count == 1 ? "it" : "them";
        foreach (var words in JobWords.Of(created))
        {
            terminal.Say($"follow {it}: kruise-image ctl wait {words}");
            terminal.Say($"stop {it}:   kruise-image ctl cancel {words}");
        }
    }
}
