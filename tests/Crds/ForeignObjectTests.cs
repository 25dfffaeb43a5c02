using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Tests.Crds;

/// <summary>
/// Objects that others wrote: the manual's own YAML, and all fields that OpenKruise's CRDs publish. The schema must know each field
/// (or the server would prune it), validation must accept the object, and our types must read it.
/// </summary>
public class ForeignObjectTests
{
    private const string ManualJob = """
        apiVersion: apps.kruise.io/v1alpha1
        kind: ImagePullJob
        metadata:
          name: job-with-always
        spec:
          image: nginx:1.9.1
          parallelism: 10
          selector:
            matchLabels:
              node-type: xxx
          completionPolicy:
            type: Always
            activeDeadlineSeconds: 1200
            ttlSecondsAfterFinished: 300
          pullPolicy:
            backoffLimit: 3
            timeoutSeconds: 300
          pullSecrets:
          - secret-name1
          - secret-name2
        """;

    private const string ManualPodSelector = """
        spec:
          image: nginx:1.9.1
          podSelector:
            pod-label: xxx
        """;

    private const string ManualNodeImage = """
        apiVersion: apps.kruise.io/v1alpha1
        kind: NodeImage
        metadata:
          labels:
            kubernetes.io/arch: amd64
            kubernetes.io/os: linux
          name: node-xxx
        spec:
          images:
            ubuntu:
              tags:
              - tag: latest
                pullPolicy:
                  ttlSecondsAfterFinished: 300
                  timeoutSeconds: 600
                  backoffLimit: 3
                  activeDeadlineSeconds: 1200
        status:
          desired: 0
          failed: 0
          pulling: 0
          succeeded: 0
        """;

    private const string OpenKruiseJob = """
        apiVersion: apps.kruise.io/v1alpha1
        kind: ImagePullJob
        metadata: {name: warm, namespace: team, uid: 1-2, resourceVersion: "7", generation: 2}
        spec:
          image: quay.io/team/app@sha256:7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa
          imagePullPolicy: Always
          parallelism: 50
          pullSecrets: [registry]
          podSelector:
            matchLabels: {app: web}
            matchExpressions: [{key: tier, operator: In, values: [front, back]}]
          completionPolicy: {type: Never}
          pullPolicy: {backoffLimit: 0, timeoutSeconds: 60}
          sandboxConfig: {annotations: {a: b}, labels: {c: d}}
          tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
        status:
          startTime: "2024-03-01T10:00:00Z"
          completionTime: "2024-03-01T10:05:00Z"
          desired: 3
          active: 1
          succeeded: 1
          failed: 1
          failedNodes: [node-1]
          message: job is running, progress 66.7%
        """;

    private const string OpenKruiseList = """
        apiVersion: apps.kruise.io/v1alpha1
        kind: ImageListPullJob
        metadata: {name: warm, namespace: team}
        spec:
          images: ["nginx:1.9.1", redis]
          imagePullPolicy: IfNotPresent
          parallelism: 1
          selector: {names: [node-1]}
          completionPolicy: {type: Always, activeDeadlineSeconds: 600, ttlSecondsAfterFinished: 0}
          pullPolicy: {backoffLimit: 3, timeoutSeconds: 600}
          sandboxConfig: {annotations: {a: b}}
          tolerations: [{operator: Exists}]
        status:
          startTime: "2024-03-01T10:00:00Z"
          completionTime: "2024-03-01T10:05:00Z"
          desired: 2
          active: 0
          completed: 2
          succeeded: 1
          failedImageStatuses: [{imagePullJob: warm-x7k2p, name: redis, message: "please check for details which nodes failed"}]
        """;

    private const string OpenKruiseNodeImage = """
        apiVersion: apps.kruise.io/v1alpha1
        kind: NodeImage
        metadata: {name: node-1}
        spec:
          images:
            quay.io/team/app:
              pullSecrets: [{namespace: kruise-daemon-config, name: registry-x7k2p}]
              sandboxConfig: {annotations: {a: b}, labels: {c: d}}
              tags:
              - tag: v1
                version: 2
                createdAt: "2024-03-01T10:00:00Z"
                imagePullPolicy: Always
                ownerReferences:
                - {apiVersion: apps.kruise.io/v1alpha1, kind: ImagePullJob, namespace: team, name: warm, uid: 1-2, resourceVersion: "7"}
                pullPolicy: {activeDeadlineSeconds: 600, backoffLimit: 3, timeoutSeconds: 60, ttlSecondsAfterFinished: 900}
        status:
          desired: 1
          failed: 0
          pulling: 0
          succeeded: 1
          firstSyncStatus: {syncAt: "2024-03-01T10:00:09Z", status: Success, message: ok}
          imageStatuses:
            quay.io/team/app:
              tags:
              - tag: v1
                version: 2
                phase: Succeeded
                progress: 100
                startTime: "2024-03-01T10:00:01Z"
                completionTime: "2024-03-01T10:00:09Z"
                imageID: quay.io/team/app@sha256:7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa
                message: image already exists
        """;

    [Theory]
    [InlineData(ManualJob)]
    [InlineData(ManualPodSelector)]
    [InlineData(OpenKruiseJob)]
    public void A_job_is_valid_and_loses_nothing(string yaml)
    {
        var job = Read(yaml, CrdManifest.ImagePullJob, CrdJson.Default.ImagePullJob, lost: ["spec.tolerations"]);
        Assert.Null(Validation.ImagePullJob(job.Spec));
    }

    [Fact]
    public void A_list_is_valid_and_loses_nothing()
    {
        var list = Read(OpenKruiseList, CrdManifest.ImageListPullJob, CrdJson.Default.ImageListPullJob, lost: ["spec.tolerations"]);
        Assert.Null(Validation.ImageListPullJob(list.Spec));
    }

    [Theory]
    [InlineData(ManualNodeImage)]
    [InlineData(OpenKruiseNodeImage)]
    public void A_NodeImage_is_valid_and_loses_nothing(string yaml) =>
        Assert.Null(Validation.NodeImage(Read(yaml, CrdManifest.NodeImage, CrdJson.Default.NodeImage, lost: []).Spec));

    /// <param name="lost">Fields that the schema keeps and our types do not: never written, because everything is patched.</param>
    private static T Read<T>(string yaml, CrdManifest crd, JsonTypeInfo<T> type, string[] lost)
        where T : class
    {
        var json = (JsonObject)ToJson(yaml);
        Assert.Empty(Unknown(json, crd.Schema, ""));
        var value = JsonSerializer.Deserialize(json, type)!;
        var again = (JsonObject)JsonSerializer.SerializeToNode(value, type)!;
        foreach (var path in lost) (json[path.Split('.')[0]] as JsonObject)?.Remove(path.Split('.')[1]);
        foreach (var part in (string[])["spec", "status"])
            if (json[part] is { } written) Assert.Empty(Missing(written, again[part], part));
        return value;
    }

    /// <summary>Fields of the object that the server would prune.</summary>
    private static IEnumerable<string> Unknown(JsonNode? node, YamlMappingNode schema, string path)
    {
        if (path == ".metadata" || CrdManifest.Text(schema, "x-kubernetes-preserve-unknown-fields") == "true") return [];
        if (node is JsonArray array && CrdManifest.At(schema, "items") is YamlMappingNode items) return array.SelectMany(item => Unknown(item, items, path + "[]"));
        if (node is not JsonObject fields) return [];
        return fields.SelectMany(field =>
            CrdManifest.At(schema, "properties", field.Key) is YamlMappingNode known ? Unknown(field.Value, known, $"{path}.{field.Key}")
            : CrdManifest.At(schema, "additionalProperties") is YamlMappingNode values ? Unknown(field.Value, values, path + ".*")
            : [$"{path}.{field.Key}"]);
    }

    /// <summary>Fields that were read and are not written again, or are written otherwise.</summary>
    private static IEnumerable<string> Missing(JsonNode? written, JsonNode? again, string path) => (written, again) switch
    {
        (JsonObject fields, JsonObject others) => fields.SelectMany(field => Missing(field.Value, others[field.Key], $"{path}.{field.Key}")),
        (JsonArray items, JsonArray others) when items.Count == others.Count => items.SelectMany((item, i) => Missing(item, others[i], $"{path}[{i}]")),
        _ => JsonNode.DeepEquals(written, again) ? [] : [$"{path}: {written?.ToJsonString()} became {again?.ToJsonString()}"],
    };

    private static JsonNode ToJson(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return ToJson(stream.Documents[0].RootNode);
    }

    private static JsonNode ToJson(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Select(pair => KeyValuePair.Create(CrdManifest.Value(pair.Key), (JsonNode?)ToJson(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(ToJson)]),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: var text } when long.TryParse(text, out var number) => JsonValue.Create(number),
        _ => JsonValue.Create(CrdManifest.Value(node)),
    };
}
