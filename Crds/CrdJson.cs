using System.Text.Json;
using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>The one JSON context: every type that goes over the wire is named here, nothing is found by reflection.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = CrdJson.MaxDepth,
    Converters = [typeof(TimeConverter), typeof(OptionalTimeConverter), typeof(Int32Converter), typeof(Int64Converter)])]
[JsonSerializable(typeof(ImagePullJob))]
[JsonSerializable(typeof(ObjectList<ImagePullJob>))]
[JsonSerializable(typeof(ImagePullJobTemplate))]
[JsonSerializable(typeof(ImageListPullJob))]
[JsonSerializable(typeof(ObjectList<ImageListPullJob>))]
[JsonSerializable(typeof(NodeImage))]
[JsonSerializable(typeof(ObjectList<NodeImage>))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(ObjectList<Node>))]
[JsonSerializable(typeof(Pod))]
[JsonSerializable(typeof(ObjectList<Pod>))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(ObjectList<Lease>))]
[JsonSerializable(typeof(Event))]
[JsonSerializable(typeof(ObjectList<Event>))]
[JsonSerializable(typeof(EventCount))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(ObjectList<Secret>))]
[JsonSerializable(typeof(ApiStatus))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JsonDocument))]
public sealed partial class CrdJson : JsonSerializerContext
{
    /// <summary>
    /// More than any API server takes. Fields that a schema keeps without knowing them, and managedFields with them, nest as deep
    /// as anybody likes; the default of 64 would make one such object hide all others. Reading does not recurse into what it skips.
    /// </summary>
    public const int MaxDepth = 20_000;
}
