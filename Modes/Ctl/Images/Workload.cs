using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>An object that has pods made, and what its pods need of a node: images, and secrets to get them with. Pure.</summary>
/// <param name="Where">The file it is from, for sentences; empty: the cluster.</param>
/// <param name="Namespace">Null: that of "-n".</param>
/// <param name="PodSpec">As it would be of its pods.</param>
/// <param name="Secrets">Its own, else those of its ServiceAccount, as far as known.</param>
public sealed record Workload(string Where, string Kind, string Name, string? Namespace, JsonElement PodSpec, IReadOnlyList<string> Secrets)
{
    /// <summary>"deployment/web", with the file in front.</summary>
    public string Title => $"{(Where.Length > 0 ? $"{Where}: " : "")}{Kind.ToLowerInvariant()}/{Name}";

    public string ServiceAccount => PodSpec.Text("serviceAccountName") ?? PodSpec.Text("serviceAccount") ?? "default";

    /// <summary>Null when the object has no pod template: a Service, a job of ours.</summary>
    public static Workload? Of(string where, JsonElement json)
    {
        var kind = json.Text("kind") ?? "object";
        var spec = kind == "Pod" ? json.At("spec")
            : json.At("spec", "template", "spec") ?? json.At("spec", "jobTemplate", "spec", "template", "spec") ?? json.At("template", "spec"); // the last: a PodTemplate
        if (spec is not { } found || !found.Items("containers").Any()) return null;
        return new(where, kind, NameOf(json), json.Text("metadata", "namespace"), found, SecretsOf(found));
    }

    public static string NameOf(JsonElement json) => json.Text("metadata", "name") ?? json.Text("metadata", "generateName")?.TrimEnd('-') ?? "without a name";

    public static IReadOnlyList<string> SecretsOf(JsonElement podSpecOrServiceAccount) =>
        [.. podSpecOrServiceAccount.Items("imagePullSecrets").Select(secret => secret.Text("name")).OfType<string>().Where(name => name.Length > 0).Distinct()];

    /// <summary>Of containers of all kinds and of image volumes; what is filled in at run time (no image) is left out.</summary>
    /// <exception cref="CommandException">One is no reference.</exception>
    public void AddImagesTo(PullImages images)
    {
        foreach (var list in (string[])["initContainers", "containers", "ephemeralContainers"])
            foreach (var container in PodSpec.Items(list)) Add(images, container.Text("image"), $"container \"{container.Text("name")}\"");
        foreach (var volume in PodSpec.Items("volumes")) Add(images, volume.Text("image", "reference"), $"volume \"{volume.Text("name")}\"");
    }

    private void Add(PullImages images, string? text, string what)
    {
        if (string.IsNullOrEmpty(text)) return;
        if (!ImageReference.TryParse(text, out var reference, out var error)) throw CommandException.Usage($"{Title}, {what}: {error}");
        images.Add(text, reference);
    }

    /// <summary>The nodes that its pods may come to, as far as a job can say it: node name, labels, one term of required affinity.</summary>
    /// <param name="leftOut">What could not be said, else null.</param>
    /// <returns>Null: all.</returns>
    public NodeSelector? Nodes(out string? leftOut)
    {
        leftOut = null;
        if (PodSpec.Text("nodeName") is { Length: > 0 } node) return new() { Names = [node] };
        var labels = PodSpec.Fields("nodeSelector").OrderBy(label => label.Name, StringComparer.Ordinal)
            .ToDictionary(label => label.Name, label => label.Value.ValueKind == JsonValueKind.String ? label.Value.GetString()! : label.Value.GetRawText());
        var terms = PodSpec.Items("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").ToList();
        var expressions = terms is [var only] ? Expressions(only) : [];
        if (terms.Count > 1) leftOut = $"its required node affinity has {terms.Count} terms, a job can say one";
        else if (expressions is null) leftOut = "its required node affinity is not said by labels with In, NotIn, Exists and DoesNotExist alone";
        if (labels.Count == 0 && expressions is not { Count: > 0 }) return null;
        return new() { MatchLabels = labels.Count > 0 ? labels : null, MatchExpressions = expressions is { Count: > 0 } ? expressions : null };
    }

    /// <summary>Null when it cannot be said. A term of nothing matches no node, which a job cannot say either.</summary>
    private static List<LabelSelectorRequirement>? Expressions(JsonElement term)
    {
        if (term.Items("matchFields").Any() || !term.Items("matchExpressions").Any()) return null;
        var expressions = new List<LabelSelectorRequirement>();
        foreach (var expression in term.Items("matchExpressions"))
        {
            if (expression.Text("operator") is not ("In" or "NotIn" or "Exists" or "DoesNotExist")) return null;
            var values = expression.Items("values").Select(value => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText()).ToList();
            expressions.Add(new() { Key = expression.Text("key"), Operator = expression.Text("operator"), Values = values.Count > 0 ? values : null });
        }
        return expressions;
    }
}
