using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Tests.Kube;

/// <summary>An object of any kind with all its fields, through the client that otherwise knows only ours.</summary>
[JsonConverter(typeof(WildConverter))]
public sealed class Wild(JsonElement json) : IKubeObject
{
    public static readonly Resource<Wild> Nodes = Of(Resources.Nodes);
    public static readonly Resource<Wild> Pods = Of(Resources.Pods);
    public static readonly Resource<Wild> Secrets = Of(Resources.Secrets);
    public static readonly Resource<Wild> Events = Of(Resources.Events);
    public static readonly Resource<Wild> Leases = Of(Resources.Leases);
    public static readonly Resource<Wild> NodeImages = Of(Resources.NodeImages);
    public static readonly Resource<Wild> Jobs = Of(Resources.ImagePullJobs);
    public static readonly Resource<Wild> Lists = Of(Resources.ImageListPullJobs);

    public JsonElement Json => json;

    public ObjectMeta Metadata => field ??= json.TryGetProperty("metadata", out var metadata) ? metadata.Deserialize(CrdJson.Default.ObjectMeta)! : new ObjectMeta();

    public long Version => long.Parse(Metadata.ResourceVersion!);

    /// <summary>The JSON at "spec.images.a.tags.0.tag"; "" where there is nothing.</summary>
    public string this[string path]
    {
        get
        {
            var found = json;
            foreach (var step in path.Split('.'))
            {
                if (found.ValueKind == JsonValueKind.Array && int.TryParse(step, out var index) && index < found.GetArrayLength()) found = found[index];
                else if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(step, out found)) return "";
            }

            return found.GetRawText();
        }
    }

    public static Wild Parse(string text) => new(JsonElement.Parse(text));

    private static Resource<Wild> Of<T>(Resource<T> resource)
        where T : class, IKubeObject =>
        new(resource.Group, resource.Version, resource.Plural, resource.Namespaced, WildJson.Default.Wild, WildJson.Default.ObjectListWild);
}

/// <summary>Takes an object whole.</summary>
public sealed class WildConverter : JsonConverter<Wild>
{
    public override Wild Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(JsonElement.ParseValue(ref reader));

    public override void Write(Utf8JsonWriter writer, Wild value, JsonSerializerOptions options) => value.Json.WriteTo(writer);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ObjectList<Wild>))]
public sealed partial class WildJson : JsonSerializerContext;
