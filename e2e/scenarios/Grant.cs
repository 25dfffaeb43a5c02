using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Scenarios;

/// <summary>One thing that a role of manifests/rbac allows to a service account: a verb on a resource.</summary>
/// <param name="User">"system:serviceaccount:NAMESPACE:NAME".</param>
/// <param name="Role">"Role kruise-daemon-config/kruise-image-daemon", "ClusterRole kruise-image-daemon".</param>
/// <param name="Namespace">Null: in all namespaces.</param>
/// <param name="Names">Empty: whatever the object is called.</param>
public sealed record Grant(string User, string Role, string? Namespace, string Group, string Resource, IReadOnlyList<string> Names, string Verb)
{
    /// <summary>All that is bound to a service account; a role that is bound to nobody (it adds itself to the cluster's own) is not here.</summary>
    public static IReadOnlyList<Grant> Read(string directory)
    {
        var objects = Directory.EnumerateFiles(directory, "*.yaml").Order(StringComparer.Ordinal)
            .SelectMany(file => File.ReadAllText(file).Split("\n---\n")).Select(text => YamlJson.Read(text)!).ToList();
        return
        [
            .. from binding in objects
               where Text(binding, "kind").EndsWith("RoleBinding", StringComparison.Ordinal)
               from subject in binding["subjects"]!.AsArray()
               let user = $"system:serviceaccount:{Text(subject, "namespace")}:{Text(subject, "name")}"
               let reference = binding["roleRef"]!
               let ns = binding["metadata"]!["namespace"]?.GetValue<string>()
               let role = objects.Single(item => Text(item, "kind") == Text(reference, "kind") && Text(item["metadata"]!, "name") == Text(reference, "name")
                   && (Text(item, "kind") == "ClusterRole" || Text(item["metadata"]!, "namespace") == ns))
               let roleName = $"{Text(role, "kind")} {(ns is null ? "" : ns + "/")}{Text(role["metadata"]!, "name")}"
               from rule in role["rules"]!.AsArray()
               from ruleGroup in Texts(rule, "apiGroups")
               from resource in Texts(rule, "resources")
               from verb in Texts(rule, "verbs")
               select new Grant(user, roleName, ns, ruleGroup, resource, Texts(rule, "resourceNames"), verb),
        ];
    }

    public bool Covers(AuditedRequest request) =>
        request.User == User && request.Verb == Verb && request.Group == Group && request.Resource == Resource
        && (Namespace is null || Namespace == request.Namespace) && (Names.Count == 0 || Names.Contains(request.Name));

    public override string ToString() => $"{Role}: {Verb} {Resource}{(Group.Length > 0 ? "." + Group : "")}{(Names.Count > 0 ? $" ({string.Join(", ", Names)})" : "")}";

    private static string Text(JsonNode? node, string name) => node?[name]?.GetValue<string>() ?? "";

    private static IReadOnlyList<string> Texts(JsonNode? rule, string name) => [.. rule?[name]?.AsArray().Select(item => item?.GetValue<string>() ?? "") ?? []];
}
