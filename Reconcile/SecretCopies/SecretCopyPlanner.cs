using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Reconcile.SecretCopies;

/// <summary>
/// Decides what becomes of the copies of one source secret: made while a job names it, kept equal to the source while one of these
/// is unfinished, gone with the last job or with the source. Departure from OpenKruise: only what a registry is shown is copied, so
/// that whoever may create jobs cannot carry any other secret out of the namespace. Pure.
/// </summary>
public static class SecretCopyPlanner
{
    public const string Missing = "PullSecretMissing";
    public const string Malformed = "PullSecretMalformed";

    /// <summary>The server takes 256 KiB of annotations; the jobs that do not fit are not listed.</summary>
    private const int MaxReferencesLength = 200_000;

    public static Plan Plan(SecretView view)
    {
        if (view.Jobs.Count == 0) return new Plan([.. view.Copies.Select(Delete)], null, "no job names it");
        if (!view.IsFollowed) return new Plan([.. view.Copies.SelectMany(copy => Amend(copy, References(view), null))], null, "its jobs are over");
        if (!view.IsKnown) return Reconcile.Plan.Nothing("it is not read yet");

        var read = view.Source is null ? null : DockerConfig.Read(view.Source);
        var problem = read is null ? $"there is no secret {view.Name} in namespace {view.Namespace}"
            : read.Problems.Count > 0 ? $"the secret {view.Name} {string.Join("; ", read.Problems)}" : "";
        List<PlanAction> actions = [.. view.Source is null || DockerConfig.DataOf(view.Source).Count == 0 ? view.Copies.Select(Delete) : Follow(view, view.Source)];
        actions.AddRange(Tell(view, read is null ? Missing : Malformed, problem));
        return new Plan(actions, null, problem.Length > 0 ? problem : "copied");
    }

    /// <summary>Ours first, then away with others: copies of OpenKruise have names of their own.</summary>
    private static IEnumerable<PlanAction> Follow(SecretView view, Secret source)
    {
        var wanted = Compose(view, source);
        var copy = view.Copies.FirstOrDefault(copy => copy.Metadata.Name == wanted.Metadata.Name);
        if (copy is null) yield return new CreateSecret(wanted);
        else if (copy.Type != wanted.Type) // no server changes the type of a secret
            foreach (var action in (PlanAction[])[Delete(copy), new CreateSecret(wanted)]) yield return action;
        else
            foreach (var action in Amend(copy, References(view), wanted)) yield return action;
        foreach (var other in view.Copies.Where(other => other.Metadata.Name != wanted.Metadata.Name)) yield return Delete(other);
    }

    private static Secret Compose(SecretView view, Secret source) => new()
    {
        ApiVersion = "v1",
        Kind = nameof(Secret),
        Metadata = new ObjectMeta
        {
            Namespace = view.CopyNamespace,
            Name = SecretCopy.NameOf(view.Namespace, view.Name),
            Labels = new() { [SecretCopy.SourceUidLabel] = source.Metadata.Uid ?? "" },
            Annotations = new() { [SecretCopy.SourceKeyAnnotation] = view.SourceKey, [SecretCopy.ReferencesAnnotation] = References(view) },
        },
        Type = source.Type,
        Data = DockerConfig.DataOf(source),
    };

    /// <param name="wanted">Null: only the list of jobs is kept up.</param>
    private static IEnumerable<PlanAction> Amend(Secret copy, string references, Secret? wanted)
    {
        using var patch = new JsonPatch();
        patch.Test("/metadata/uid", copy.Metadata.Uid!);
        patch.Test("/metadata/resourceVersion", copy.Metadata.ResourceVersion!);
        if (copy.Metadata.Annotations?.GetValueOrDefault(SecretCopy.ReferencesAnnotation) != references)
            patch.Add($"/metadata/annotations/{JsonPatch.Escape(SecretCopy.ReferencesAnnotation)}", references, CrdJson.Default.String);
        if (wanted is not null)
        {
            var uid = wanted.Metadata.Labels![SecretCopy.SourceUidLabel];
            if (copy.Metadata.Labels?.GetValueOrDefault(SecretCopy.SourceUidLabel) != uid)
                patch.Add($"/metadata/labels/{JsonPatch.Escape(SecretCopy.SourceUidLabel)}", uid, CrdJson.Default.String);
            if (!SameData(copy.Data, wanted.Data!)) patch.Add("/data", wanted.Data!, CrdJson.Default.DictionaryStringString);
        }

        if (patch.Changes > 0) yield return new PatchSecret(copy.Metadata.Namespace!, copy.Metadata.Name!, patch.ToUtf8());
    }

    /// <summary>Each unfinished job hears of a problem once; then nobody has to wait any more.</summary>
    private static IEnumerable<PlanAction> Tell(SecretView view, string reason, string problem)
    {
        var untold = problem.Length == 0 ? []
            : view.Jobs.Where(job => job.Status?.CompletionTime is null && !(view.Problem == problem && view.Told.Contains(job.Metadata.Uid ?? ""))).ToList();
        foreach (var job in untold) yield return new RecordEvent(job.Reference(), true, reason, $"{problem}; the pull goes on without it");
        if (untold.Count > 0 || !view.IsSettled || view.Problem != problem) yield return new SettleSecret(view.SourceKey, problem);
    }

    private static string References(SecretView view)
    {
        var length = 0;
        return string.Join(',', view.Jobs.Select(job => ObjectKey.Of(job.Metadata)).TakeWhile(key => (length += key.Length + 1) <= MaxReferencesLength));
    }

    private static DeleteSecret Delete(Secret copy) => new(copy.Metadata.Namespace!, copy.Metadata.Name!, copy.Metadata.Uid!);

    private static bool SameData(Dictionary<string, string>? known, Dictionary<string, string> wanted) =>
        known is not null && known.Count == wanted.Count && wanted.All(pair => known.TryGetValue(pair.Key, out var value) && value == pair.Value);
}
