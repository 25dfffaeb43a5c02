using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using KruiseImage.Crds;
using KruiseImage.Scenarios;
using KruiseImage.Sim.Api;
using KruiseImage.Tests.Tidy;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Tests.Crds;

/// <summary>
/// Objects that others wrote: the manual's own YAML, and files with all fields that versions of OpenKruise publish. The schema must know each field
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

    /// <summary>Objects with all fields of the CRDs that a version of OpenKruise published, and with fields that nobody knows.</summary>
    public static TheoryData<string> Golden =>
    [
        .. Directory.EnumerateFiles(Path.Combine(SourceFile.Root, "tests/Crds/Golden"), "*.yaml", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(SourceFile.Root, file)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [InlineData(ManualJob)]
    [InlineData(ManualPodSelector)]
    public void A_job_of_the_manual_is_valid_and_loses_nothing(string yaml) => ReadAndJudge("ImagePullJob", yaml);

    [Fact]
    public void A_NodeImage_of_the_manual_is_valid_and_loses_nothing() => ReadAndJudge("NodeImage", ManualNodeImage);

    [Theory]
    [MemberData(nameof(Golden))]
    public void An_object_of_OpenKruise_is_valid_and_loses_nothing(string file)
    {
        var yaml = File.ReadAllText(Path.Combine(SourceFile.Root, file));
        ReadAndJudge(Regex.Match(yaml, "(?m)^kind: (.*)$").Groups[1].Value, yaml);
    }

    private static void ReadAndJudge(string kind, string yaml) => Assert.Null(kind switch
    {
        "ImagePullJob" => Validation.ImagePullJob(Read(yaml, CrdManifest.ImagePullJob, CrdJson.Default.ImagePullJob).Spec),
        "ImageListPullJob" => Validation.ImageListPullJob(Read(yaml, CrdManifest.ImageListPullJob, CrdJson.Default.ImageListPullJob).Spec),
        _ => Validation.NodeImage(Read(yaml, CrdManifest.NodeImage, CrdJson.Default.NodeImage).Spec),
    });

    private static T Read<T>(string yaml, CrdManifest crd, JsonTypeInfo<T> type)
        where T : class
    {
        var json = (JsonObject)YamlJson.Read(yaml)!;
        Assert.DoesNotContain(Unknown(json, crd.Schema, ""), path => !path.Contains(".unknown", StringComparison.Ordinal));
        var value = JsonSerializer.Deserialize(json, type)!;
        var again = (JsonObject)JsonSerializer.SerializeToNode(value, type)!;
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
        (JsonObject fields, JsonObject others) => fields.Where(field => !IsBeyondOurTypes(field.Key)).SelectMany(field => Missing(field.Value, others[field.Key], $"{path}.{field.Key}")),
        (JsonArray items, JsonArray others) when items.Count == others.Count => items.SelectMany((item, i) => Missing(item, others[i], $"{path}[{i}]")),
        _ => JsonNode.DeepEquals(written, again) ? [] : [$"{path}: {written?.ToJsonString()} became {again?.ToJsonString()}"],
    };

    /// <summary>Kept because everything is patched and nothing written whole (GoldenTakeoverTests), not because our types hold them.</summary>
    private static bool IsBeyondOurTypes(string field) => field.StartsWith("unknown", StringComparison.Ordinal) || field == "fieldPath";
}
