using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Sim.Api;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace KruiseImage.Tests.Crds;

/// <summary>The CRDs are written by hand: these tests keep them and the C# types from drifting apart.</summary>
public class CrdSchemaTests
{
    /// <summary>Fields that the schema declares so that objects of OpenKruise lose nothing, and that we never read.</summary>
    private static readonly Dictionary<string, string[]> OnlyInSchema = new()
    {
        ["ImagePullJob.spec"] = ["tolerations"],
        ["ImageListPullJob.spec"] = ["tolerations"],
    };

    private static readonly (CrdManifest Crd, string Path, JsonTypeInfo Type)[] Types =
    [
        (CrdManifest.ImagePullJob, "", CrdJson.Default.ImagePullJob),
        (CrdManifest.ImagePullJob, "spec", CrdJson.Default.ImagePullJobSpec),
        (CrdManifest.ImagePullJob, "spec.selector", CrdJson.Default.NodeSelector),
        (CrdManifest.ImagePullJob, "spec.selector.matchExpressions[]", CrdJson.Default.LabelSelectorRequirement),
        (CrdManifest.ImagePullJob, "spec.podSelector", CrdJson.Default.PodSelector),
        (CrdManifest.ImagePullJob, "spec.completionPolicy", CrdJson.Default.CompletionPolicy),
        (CrdManifest.ImagePullJob, "spec.pullPolicy", CrdJson.Default.PullPolicy),
        (CrdManifest.ImagePullJob, "spec.sandboxConfig", CrdJson.Default.SandboxConfig),
        (CrdManifest.ImagePullJob, "status", CrdJson.Default.ImagePullJobStatus),
        (CrdManifest.ImagePullJob, "status.failures[]", CrdJson.Default.FailureGroup),
        (CrdManifest.ImagePullJob, "status.digests[]", CrdJson.Default.DigestCount),
        (CrdManifest.ImagePullJob, "status.conditions[]", CrdJson.Default.Condition),
        (CrdManifest.ImageListPullJob, "", CrdJson.Default.ImageListPullJob),
        (CrdManifest.ImageListPullJob, "spec", CrdJson.Default.ImageListPullJobSpec),
        (CrdManifest.ImageListPullJob, "status", CrdJson.Default.ImageListPullJobStatus),
        (CrdManifest.ImageListPullJob, "status.failedImageStatuses[]", CrdJson.Default.FailedImageStatus),
        (CrdManifest.ImageListPullJob, "status.conditions[]", CrdJson.Default.Condition),
        (CrdManifest.NodeImage, "", CrdJson.Default.NodeImage),
        (CrdManifest.NodeImage, "spec", CrdJson.Default.NodeImageSpec),
        (CrdManifest.NodeImage, "spec.images.*", CrdJson.Default.ImageSpec),
        (CrdManifest.NodeImage, "spec.images.*.pullSecrets[]", CrdJson.Default.SecretReference),
        (CrdManifest.NodeImage, "spec.images.*.sandboxConfig", CrdJson.Default.SandboxConfig),
        (CrdManifest.NodeImage, "spec.images.*.tags[]", CrdJson.Default.ImageTagSpec),
        (CrdManifest.NodeImage, "spec.images.*.tags[].pullPolicy", CrdJson.Default.TagPullPolicy),
        (CrdManifest.NodeImage, "spec.images.*.tags[].ownerReferences[]", CrdJson.Default.ObjectReference),
        (CrdManifest.NodeImage, "status", CrdJson.Default.NodeImageStatus),
        (CrdManifest.NodeImage, "status.imageStatuses.*", CrdJson.Default.ImageStatus),
        (CrdManifest.NodeImage, "status.imageStatuses.*.tags[]", CrdJson.Default.ImageTagStatus),
        (CrdManifest.NodeImage, "status.firstSyncStatus", CrdJson.Default.FirstSyncStatus),
    ];

    [Fact]
    public void Fields_of_the_schema_are_the_properties_of_the_types()
    {
        foreach (var (crd, path, type) in Types)
        {
            var properties = type.Properties.Where(property => !property.IsExtensionData).Select(property => property.Name);
            var expected = properties.Concat(OnlyInSchema.GetValueOrDefault($"{crd.Kind}.{path}", [])).Order(StringComparer.Ordinal);
            Assert.Equal((IEnumerable<string>)[crd.Kind, path, .. expected], [crd.Kind, path, .. CrdManifest.Names(crd.Field(path))]);
        }
    }

    [Fact]
    public void Both_versions_are_served_with_the_same_schema_and_v1beta1_is_stored()
    {
        foreach (var crd in CrdManifest.All)
        {
            Assert.Equal(["v1beta1 true true", "v1alpha1 true false"], crd.Versions.Select(version =>
                $"{CrdManifest.Text(version, "name")} {CrdManifest.Text(version, "served")} {CrdManifest.Text(version, "storage")}"));
            foreach (var part in (string[])["schema", "additionalPrinterColumns", "subresources"])
                Assert.Equal(CrdManifest.At(crd.Versions.First(), part), CrdManifest.At(crd.Versions.Last(), part));
            Assert.NotNull(CrdManifest.At(crd.Versions.First(), "subresources", "status"));
        }
    }

    [Fact]
    public void Printer_columns_are_those_of_the_contract()
    {
        Assert.Equal("IMAGE(wide) TOTAL ACTIVE SUCCEED FAILED AGE MESSAGE", Columns(CrdManifest.ImagePullJob));
        Assert.Equal("TOTAL SUCCEEDED COMPLETED AGE", Columns(CrdManifest.ImageListPullJob));
        Assert.Equal("DESIRED PULLING SUCCEED FAILED AGE", Columns(CrdManifest.NodeImage));
    }

    [Fact]
    public void Printer_columns_point_at_fields_that_exist()
    {
        foreach (var crd in CrdManifest.All)
            foreach (var column in ColumnsOf(crd))
                if (CrdManifest.Text(column, "jsonPath") is { } path && path != ".metadata.creationTimestamp")
                    Assert.Equal(CrdManifest.Text(column, "type"), CrdManifest.Text(crd.Field(path[1..]), "type"));
    }

    [Fact]
    public void Defaults_of_the_schema_are_those_of_the_code()
    {
        foreach (var crd in (CrdManifest[])[CrdManifest.ImagePullJob, CrdManifest.ImageListPullJob])
        {
            Assert.Equal($"{Defaults.Parallelism}", CrdManifest.Text(crd.Field("spec.parallelism"), "default"));
            Assert.Equal(Defaults.Always, CrdManifest.Text(crd.Field("spec.completionPolicy.type"), "default"));
            Assert.Equal(Defaults.IfNotPresent, CrdManifest.Text(crd.Field("spec.imagePullPolicy"), "default"));
            AssertPullDefaults(crd.Field("spec.pullPolicy"));
        }

        Assert.Equal(Defaults.IfNotPresent, CrdManifest.Text(CrdManifest.NodeImage.Field("spec.images.*.tags[].imagePullPolicy"), "default"));
        AssertPullDefaults(CrdManifest.NodeImage.Field("spec.images.*.tags[].pullPolicy"));
        Assert.Equal($"{Defaults.MaxImages}", CrdManifest.Text(CrdManifest.NodeImage.Field("spec.images"), "maxProperties"));
        Assert.Equal($"{Defaults.MaxImages}", CrdManifest.Text(CrdManifest.ImageListPullJob.Field("spec.images"), "maxItems"));
    }

    [Fact]
    public void An_ImageListPullJob_has_the_fields_of_an_ImagePullJob()
    {
        var job = CrdManifest.Fields(CrdManifest.ImagePullJob.Field("spec")).Where(field => field.Name != "image");
        var list = CrdManifest.Fields(CrdManifest.ImageListPullJob.Field("spec")).Where(field => field.Name != "images");
        Assert.Equal(job, list);
        Assert.Equal(CrdManifest.Rules(CrdManifest.ImagePullJob.Field("spec")), CrdManifest.Rules(CrdManifest.ImageListPullJob.Field("spec")));
        Assert.Equal(
            CrdManifest.Rules(CrdManifest.ImagePullJob.Field("spec.image")), CrdManifest.Rules(CrdManifest.ImageListPullJob.Field("spec.images[]")));
    }

    [Fact]
    public void Messages_of_the_rules_are_those_of_Validation()
    {
        var ours = typeof(Validation).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);
        var schema = CrdManifest.All.SelectMany(crd => CrdManifest.Walk(crd.Schema)).SelectMany(found => CrdManifest.Rules(found.Schema));
        Assert.Equal(ours.Order(StringComparer.Ordinal), schema.Select(rule => rule.Message).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>The server refuses a CRD whose rules could cost too much, and estimates by these bounds.</summary>
    [Fact]
    public void Whatever_a_rule_can_reach_has_a_bound()
    {
        foreach (var crd in CrdManifest.All)
        {
            var schemas = CrdManifest.Walk(crd.Schema).ToList();
            foreach (var (path, schema) in schemas)
            {
                if (!schemas.Exists(other => CrdManifest.Rules(other.Schema).Any() && IsRelated(other.Path, path))) continue;
                var isRuled = schemas.Exists(other => CrdManifest.Rules(other.Schema).Any(rule => Mentions(rule.Rule, other.Path, path)));
                if (CrdManifest.Text(schema, "type") == "array" && isRuled) Assert.True(CrdManifest.At(schema, "maxItems") is not null, crd.Kind + path);
                if (CrdManifest.At(schema, "additionalProperties") is not null && isRuled) Assert.True(CrdManifest.At(schema, "maxProperties") is not null, crd.Kind + path);
                if (CrdManifest.Text(schema, "type") == "string" && isRuled) Assert.True(CrdManifest.At(schema, "maxLength") is not null, crd.Kind + path);
            }
        }

        static bool IsRelated(string rule, string field) =>
            field.StartsWith(rule, StringComparison.Ordinal) || rule.StartsWith(field, StringComparison.Ordinal);

        // The rule stands below a list or map (and runs once for each item), or names the field.
        static bool Mentions(string rule, string at, string field) =>
            at.StartsWith(field, StringComparison.Ordinal) || (IsRelated(at, field) && rule.Contains(field[(field.LastIndexOf('.') + 1)..], StringComparison.Ordinal));
    }

    [Fact]
    public void Every_field_of_a_spec_and_status_explains_itself()
    {
        foreach (var crd in CrdManifest.All)
            foreach (var part in (string[])["spec", "status"])
                foreach (var (name, schema) in CrdManifest.Fields(crd.Field(part)))
                    Assert.False(string.IsNullOrWhiteSpace(CrdManifest.Text(schema, "description")), $"{crd.Kind} {part}.{name} has no description");
    }

    /// <summary>The CEL rule of an image accepts what ImageReference accepts, but for the length of the name, which it cannot count.</summary>
    [Fact]
    public void The_rule_of_an_image_agrees_with_the_parser()
    {
        var rule = CrdManifest.Rules(CrdManifest.ImagePullJob.Field("spec.image")).Single().Rule;
        var parts = Regex.Match(rule, "^!self.matches\\('([^']+)'\\) && self.matches\\('([^']+)'\\)$");
        Assert.True(parts.Success, rule);
        bool Accepts(string text) => text.Length is > 0 and <= 520 && !Regex.IsMatch(text, Whole(parts.Groups[1].Value)) && Regex.IsMatch(text, Whole(parts.Groups[2].Value));

        foreach (var row in ImageReferenceTests.Valid) Assert.True(Accepts(row.Data.Item1), row.Data.Item1);
        foreach (var row in ImageReferenceTests.Invalid)
            if (row.Data is (not null, not "at most 255")) Assert.False(Accepts(row.Data.Item1), row.Data.Item1);
        ImageReferenceTests.GenNearReference.Sample(text => Accepts(text) == (ImageReference.TryParse(text, out _, out var error) || error.Contains("255", StringComparison.Ordinal)), iter: 20_000);

        // In .NET '$' also matches before a last line break; in RE2 it does not.
        static string Whole(string pattern) => pattern[..^1] + "\\z";
    }

    private static void AssertPullDefaults(YamlMappingNode pullPolicy)
    {
        Assert.Empty(((YamlMappingNode)CrdManifest.At(pullPolicy, "default")!).Children);
        Assert.Equal($"{Defaults.TimeoutSeconds}", CrdManifest.Text(pullPolicy, "properties", "timeoutSeconds", "default"));
        Assert.Equal($"{Defaults.BackoffLimit}", CrdManifest.Text(pullPolicy, "properties", "backoffLimit", "default"));
    }

    private static IEnumerable<YamlNode> ColumnsOf(CrdManifest crd) => (YamlSequenceNode)CrdManifest.At(crd.Versions.First(), "additionalPrinterColumns")!;

    private static string Columns(CrdManifest crd) => string.Join(' ', ColumnsOf(crd).Select(column =>
        CrdManifest.Text(column, "name") + (CrdManifest.Text(column, "priority") is null ? "" : "(wide)")));
}
