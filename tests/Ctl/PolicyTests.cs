using System.Text.Json.Nodes;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Scenarios;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>
/// The admission policies and the role of the daemon, as they are written (contract 7.3). What a server makes of the policies is for
/// AdmissionPolicyScenarios, which needs 1.30; here, that each covers all ways to write, refuses when in doubt, and is bound.
/// </summary>
public class PolicyTests
{
    private const string Daemon = "'system:serviceaccount:kruise-image-system:kruise-image-daemon'";
    private const string NodeOfToken = "request.userInfo.extra['authentication.kubernetes.io/node-name'].exists(node, ";

    private static readonly List<JsonNode> All = [.. Manifests.Read(InstallValues.Defaults).Select(manifest => YamlJson.Read(manifest.Yaml)!)];

    public static TheoryData<string> Policies => [.. All.Where(item => Text(item, "kind") == "ValidatingAdmissionPolicy").Select(Name)];

    [Theory]
    [MemberData(nameof(Policies))]
    public void A_policy_is_bound_denies_and_fails_closed(string name)
    {
        var spec = Policy(name);
        Assert.Equal("Fail", Text(spec, "failurePolicy"));
        Assert.Equal("Equivalent", Text(spec["matchConstraints"]!, "matchPolicy"));
        Assert.Equal($"request.userInfo.username == {Daemon}", Text(Assert.Single(spec["matchConditions"]!.AsArray())!, "expression"));
        Assert.All(spec["validations"]!.AsArray(), validation => Assert.Equal("Forbidden", Text(validation!, "reason")));
        var binding = Assert.Single(All, item => Text(item, "kind") == "ValidatingAdmissionPolicyBinding" && Text(item["spec"]!, "policyName") == name);
        Assert.Equal(["Deny"], Texts(binding["spec"]!, "validationActions"));
        Assert.Null(binding["spec"]!["matchResources"]); // of everything that the policy is about
        Assert.Null(spec["paramKind"]);
    }

    /// <summary>It is about the account that the DaemonSet's pods have, in the namespace that they run in.</summary>
    [Fact]
    public void The_policies_are_about_the_account_of_the_daemons()
    {
        var pods = Assert.Single(All, item => Text(item, "kind") == "DaemonSet");
        Assert.Equal(Daemon, $"'system:serviceaccount:{Text(pods["metadata"]!, "namespace")}:{Text(pods["spec"]!["template"]!["spec"]!, "serviceAccountName")}'");
    }

    [Fact]
    public void A_daemon_writes_the_status_of_its_own_NodeImage_in_any_version_and_nothing_else_of_it()
    {
        var spec = Policy("kruise-image-daemon");
        var rule = Assert.Single(spec["matchConstraints"]!["resourceRules"]!.AsArray())!;
        Assert.Equal(["apps.kruise.io"], Texts(rule, "apiGroups"));
        var crd = All.Single(item => Name(item) == "nodeimages.apps.kruise.io");
        Assert.Equal(crd["spec"]!["versions"]!.AsArray().Select(version => Text(version!, "name")).Order(), Texts(rule, "apiVersions").Order());
        Assert.Equal(["CREATE", "DELETE", "UPDATE"], Texts(rule, "operations").Order());
        var subresources = crd["spec"]!["versions"]![0]!["subresources"]!.AsObject().Select(pair => $"nodeimages/{pair.Key}");
        Assert.Equal(["nodeimages", .. subresources], Texts(rule, "resources"));
        Assert.Contains(Expressions(spec), expression => expression == "request.operation == 'UPDATE' && has(request.subResource) && request.subResource == 'status'");
        // request.name: for a subresource too it is that of the object.
        Assert.Contains(Expressions(spec), expression => expression == $"has(request.userInfo.extra) && 'authentication.kubernetes.io/node-name' in request.userInfo.extra && {NodeOfToken}node == request.name)");
    }

    [Fact]
    public void A_daemon_writes_events_of_its_own_NodeImage_and_takes_over_no_other()
    {
        var spec = Policy("kruise-image-daemon-events");
        var rule = Assert.Single(spec["matchConstraints"]!["resourceRules"]!.AsArray())!;
        Assert.Equal([""], Texts(rule, "apiGroups"));
        Assert.Equal(["v1"], Texts(rule, "apiVersions"));
        Assert.Equal(["CREATE", "UPDATE"], Texts(rule, "operations"));
        Assert.Equal(["events"], Texts(rule, "resources"));
        var expression = Assert.Single(Expressions(spec));
        Assert.Contains(NodeOfToken + "object.involvedObject.kind == 'NodeImage' && object.involvedObject.name == node", expression, StringComparison.Ordinal);
        Assert.Contains("oldObject == null || (oldObject.involvedObject.kind == 'NodeImage' && oldObject.involvedObject.name == node)", expression, StringComparison.Ordinal);
    }

    /// <summary>The policies must not be narrower than the role: every right to write is judged by one of them.</summary>
    [Fact]
    public void The_role_of_the_daemon_is_these_rights_and_no_other()
    {
        var rights = from role in All
                     where Text(role, "kind") is "Role" or "ClusterRole" && Name(role) == "kruise-image-daemon"
                     from rule in role["rules"]!.AsArray()
                     select $"{(role["metadata"]!["namespace"] is { } ns ? $"{ns}: " : "")}{string.Join(',', Texts(rule!, "verbs"))} {string.Join(',', Texts(rule!, "resources"))}";
        Assert.Equal(["default: create,patch events", "kruise-daemon-config: get secrets", "list,watch nodeimages", "patch nodeimages/status"], rights.Order(StringComparer.Ordinal));
    }

    private static JsonNode Policy(string name) => All.Single(item => Text(item, "kind") == "ValidatingAdmissionPolicy" && Name(item) == name)["spec"]!;

    private static IEnumerable<string> Expressions(JsonNode spec) => spec["validations"]!.AsArray().Select(validation => Text(validation!, "expression"));

    private static string Name(JsonNode item) => Text(item["metadata"]!, "name");

    private static string Text(JsonNode node, string name) => node[name]?.GetValue<string>() ?? "";

    private static IReadOnlyList<string> Texts(JsonNode node, string name) => [.. node[name]!.AsArray().Select(item => item?.GetValue<string>() ?? "")];
}
