using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace KruiseImage.Bench;

/// <summary>
/// What the product's controller and daemons send about a NodeImage, byte for byte as much of it: the floor sends the same, and hollow
/// daemons answer as real ones do. Unit tests hold these bodies against the product's own planners. Pure.
/// </summary>
public static class NodeImageBodies
{
    public static JsonObject Create(string node, string nodeUid, JsonObject labels) => new()
    {
        ["apiVersion"] = "apps.kruise.io/v1beta1",
        ["kind"] = "NodeImage",
        ["metadata"] = new JsonObject
        {
            ["name"] = node,
            ["labels"] = labels,
            ["ownerReferences"] = new JsonArray(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node, ["uid"] = nodeUid }),
        },
        ["spec"] = new JsonObject(),
    };

    /// <summary>The JSON Patch that adds the first entry, for a job: bound to uid and generation, the version is the generation that it makes.</summary>
    public static JsonArray AddEntry(string uid, long generation, string image, string tag, string jobUid, string jobName, DateTimeOffset now)
    {
        var entry = new JsonObject
        {
            ["tags"] = new JsonArray(new JsonObject
            {
                ["tag"] = tag,
                ["version"] = generation + 1,
                ["createdAt"] = Time(now),
                ["pullPolicy"] = new JsonObject { ["timeoutSeconds"] = 600, ["backoffLimit"] = 3, ["ttlSecondsAfterFinished"] = 3600 },
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = "apps.kruise.io/v1beta1",
                    ["kind"] = "ImagePullJob",
                    ["namespace"] = "default",
                    ["name"] = jobName,
                    ["uid"] = jobUid,
                }),
                ["imagePullPolicy"] = "IfNotPresent",
            }),
        };
        var add = new JsonObject { ["op"] = "add", ["path"] = "/spec/images", ["value"] = new JsonObject { [image] = entry } };
        return new JsonArray(Test("/metadata/uid", uid), Test("/metadata/generation", generation), add);
    }

    /// <summary>
    /// The merge patch of a daemon that has just said for the first time that an entry is there, or where it stands. Built as text: a
    /// hollow daemon shares its processor with what is measured.
    /// </summary>
    /// <param name="counts">The numbers of the status that changed: "desired", "succeeded", "pulling".</param>
    public static byte[] Status(string uid, string image, string tag, long version, string phase, int progress, DateTimeOffset started, DateTimeOffset now, IEnumerable<(string Name, int Value)> counts,
        bool isFirstSync)
    {
        var isSucceeded = phase == "Succeeded";
        var text = new StringBuilder(640).Append(CultureInfo.InvariantCulture, $$$"""{"metadata":{"uid":"{{{uid}}}"},"status":{""");
        foreach (var (name, value) in counts)
            text.Append(CultureInfo.InvariantCulture, $"\"{name}\":{value},");
        text.Append(CultureInfo.InvariantCulture,
            $$"""
            "imageStatuses":{"{{image}}":{"tags":[{"tag":"{{tag}}","phase":"{{phase}}","progress":{{progress}},"startTime":"{{Time(started)}}"
            """);
        if (isSucceeded)
            text.Append(CultureInfo.InvariantCulture, $"""
                ,"completionTime":"{Time(now)}"
                """);
        text.Append(CultureInfo.InvariantCulture, $",\"version\":{version}");
        if (isSucceeded)
            text.Append(CultureInfo.InvariantCulture, $"""
                ,"imageID":"{image}@sha256:{Digest}"
                """);
        text.Append("}]}}");
        if (isFirstSync)
            text.Append(CultureInfo.InvariantCulture, $$"""
                ,"firstSyncStatus":{"syncAt":"{{Time(now)}}","status":"Succeeded","message":"1 pulled"}
                """);
        return Encoding.UTF8.GetBytes(text.Append("}}").ToString());
    }

    public static byte[] Utf8(JsonNode body) => Encoding.UTF8.GetBytes(body.ToJsonString());

    public const string Digest = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

    private static JsonObject Test(string path, JsonNode value) => new() { ["op"] = "test", ["path"] = path, ["value"] = value };

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
