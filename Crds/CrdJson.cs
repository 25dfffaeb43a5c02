using System.Text.Json;
using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>The one JSON context: every type that goes over the wire is named here, nothing is found by reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimeConverter)])]
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
public sealed partial class CrdJson : JsonSerializerContext;
