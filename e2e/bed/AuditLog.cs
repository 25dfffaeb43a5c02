using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>One request as the API server wrote it into its audit log.</summary>
/// <param name="User">"system:serviceaccount:NAMESPACE:NAME".</param>
/// <param name="Resource">With its subresource: "nodeimages/status".</param>
/// <param name="Code">The HTTP status of the answer.</param>
public sealed record AuditedRequest(string User, string UserAgent, string Verb, string Group, string Resource, string Namespace, string Name, int Code, DateTimeOffset Moment)
{
    public override string ToString() => $"{User} may not {Verb} {Resource} {Namespace}/{Name} (group \"{Group}\", asked by {UserAgent})";
}

/// <summary>
/// What the service accounts of the product asked the API server, from its audit log: the log holds metadata only, one line a request
/// that was answered. Scenarios compare it with the roles of the manifests.
/// </summary>
public sealed class AuditLog(string file)
{
    /// <summary>Programs of a scenario that ask for what they must not get say so in their user agent.</summary>
    public const string RefusedOnPurpose = "refused-on-purpose";

    /// <summary>
    /// The requests of whoever has the group of the service accounts of the product's namespace, and nobody else's. A watch is written when it
    /// begins, too: it may not end before the run does.
    /// </summary>
    public static string Policy => $$"""
        {
          "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
          "rules": [{ "level": "Metadata", "userGroups": ["system:serviceaccounts:{{ControlPlane.SystemNamespace}}"] }, { "level": "None" }]
        }
        """;

    public IEnumerable<AuditedRequest> Read() =>
        from line in File.ReadLines(file)
        let entry = JsonNode.Parse(line)!
        let what = entry["objectRef"]
        where what is not null // else a request for no object: /version, discovery
        where Text(entry, "verb") != "watch" || Text(entry, "stage") == "ResponseStarted" || entry["responseStatus"]?["code"]?.GetValue<int>() != 200
        select new AuditedRequest(
            Text(entry["user"]!, "username"), Text(entry, "userAgent"), Text(entry, "verb"), Text(what, "apiGroup"),
            Text(what, "subresource") is { Length: > 0 } subresource ? $"{Text(what, "resource")}/{subresource}" : Text(what, "resource"),
            Text(what, "namespace"), Text(what, "name"), entry["responseStatus"]?["code"]?.GetValue<int>() ?? 0,
            entry["requestReceivedTimestamp"]!.GetValue<DateTimeOffset>());

    private static string Text(JsonNode node, string name) => node[name]?.GetValue<string>() ?? "";
}
