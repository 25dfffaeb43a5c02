using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Scenarios;
using KruiseImage.Sim.Api;
using KruiseImage.Tests.Tidy;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>
/// The table of bad input (e2e/scenarios/bad-input.yaml) against the rules in C#: what the schema lets pass must be judged as the table
/// says, and what it refuses must not make our types throw anything but a JsonException.
/// </summary>
public class BadInputTests
{
    private static readonly List<BadInput> Rows = [.. BadInput.ReadAll(Path.Combine(SourceFile.Root, "e2e/scenarios"))];

    [Fact]
    public void Validation_agrees_with_the_table() => Complaints.None(
        from row in Rows
        where row.Answer != BadInputAnswer.Refused
        let said = Validate(row)
        let expected = row.Answer == BadInputAnswer.Invalid ? row.Expected!.GetValue<string>() : null
        where expected is null ? said is not null : said?.Contains(expected, StringComparison.Ordinal) != true
        select $"{row}: should say \"{expected}\" and says \"{said}\"");

    [Fact]
    public void What_the_schema_refuses_is_read_or_is_no_JSON_of_ours() => Complaints.None(
        from row in Rows
        where row.Answer == BadInputAnswer.Refused
        let thrown = Record.Exception(() => Validate(row))
        where thrown is not (null or JsonException)
        select $"{row}: {thrown.GetType().Name}: {thrown.Message}");

    [Fact]
    public void Every_field_of_a_spec_has_a_row()
    {
        var tried = Rows.ToLookup(row => row.Kind, row => row.At.Split('.')[0]);
        Complaints.None(
            from crd in CrdManifest.All
            from field in CrdManifest.Names(crd.Field("spec"))
            where !tried[crd.Kind].Contains(field)
            select $"{crd.Kind} spec.{field}");
    }

    /// <summary>Unknown fields are the server's to prune; to our types they are nothing.</summary>
    private static string? Validate(BadInput row)
    {
        var spec = row.Answer == BadInputAnswer.Becomes ? WithoutNulls(row.Spec) : row.Spec;
        return row.Kind switch
        {
            nameof(ImagePullJob) => Validation.ImagePullJob(spec.Deserialize(CrdJson.Default.ImagePullJobSpec)!),
            nameof(ImageListPullJob) => Validation.ImageListPullJob(spec.Deserialize(CrdJson.Default.ImageListPullJobSpec)!),
            _ => Validation.NodeImage(spec.Deserialize(CrdJson.Default.NodeImageSpec)),
        };
    }

    /// <summary>As the server stores it: a null in an object is a field that was not given.</summary>
    private static JsonNode? WithoutNulls(JsonNode? node) => node switch
    {
        JsonObject fields => new JsonObject(fields.Where(field => field.Value is not null).Select(field => KeyValuePair.Create(field.Key, WithoutNulls(field.Value)))),
        JsonArray items => new JsonArray([.. items.Select(WithoutNulls)]),
        _ => node?.DeepClone(),
    };
}
