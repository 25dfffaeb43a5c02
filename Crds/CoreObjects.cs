using System.Text.Json;
using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>A Node, cut down to what the controller asks of it: labels and whether it is ready.</summary>
public sealed record Node : IKubeObject
{
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public NodeStatus? Status { get; init; }

    [JsonIgnore]
    public bool IsReady => Status?.Ready ?? false;
}

public sealed record NodeStatus
{
    /// <summary>Of the list of conditions only the verdict of "Ready" is kept.</summary>
    [JsonPropertyName("conditions"), JsonConverter(typeof(ReadyConditionConverter))]
    public bool Ready { get; init; }
}

/// <summary>A Pod, cut down to where it runs.</summary>
public sealed record Pod : IKubeObject
{
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public PodSpec? Spec { get; init; }
    public PodStatus? Status { get; init; }

    /// <summary>Scheduled, not finished, not being deleted.</summary>
    [JsonIgnore]
    public bool IsActive => Spec?.NodeName is { Length: > 0 } && Metadata.DeletionTimestamp is null && Status?.Phase is not ("Succeeded" or "Failed");
}

public sealed record PodSpec
{
    [JsonConverter(typeof(InternedStringConverter))]
    public string? NodeName { get; init; }
}

public sealed record PodStatus
{
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Phase { get; init; }
}

/// <summary>coordination.k8s.io/v1 Lease.</summary>
public sealed record Lease : IKubeObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public LeaseSpec Spec { get; init => field = value ?? new(); } = new();
}

public sealed record LeaseSpec
{
    public string? HolderIdentity { get; init; }
    public int? LeaseDurationSeconds { get; init; }
    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? AcquireTime { get; init; }
    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? RenewTime { get; init; }
    public int? LeaseTransitions { get; init; }
}

/// <summary>v1 Event.</summary>
public sealed record Event : IKubeObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public ObjectReference InvolvedObject { get; init => field = value ?? new(); } = new();
    public string? Reason { get; init; }
    public string? Message { get; init; }
    /// <summary>"Normal" or "Warning".</summary>
    public string? Type { get; init; }
    public int Count { get; init; }
    public DateTimeOffset? FirstTimestamp { get; init; }
    public DateTimeOffset? LastTimestamp { get; init; }
    public EventSource? Source { get; init; }
}

/// <summary>What changes of an event that comes to pass again.</summary>
public sealed record EventCount
{
    public int Count { get; init; }
    public string? Message { get; init; }
    public DateTimeOffset? LastTimestamp { get; init; }
}

public sealed record EventSource
{
    public string? Component { get; init; }
    public string? Host { get; init; }
}

/// <summary>v1 Secret. Never logged, never put into a message.</summary>
public sealed record Secret : IKubeObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public string? Type { get; init; }
    /// <summary>Base64 values, as on the wire.</summary>
    public Dictionary<string, string>? Data { get; init; }
}

/// <summary>metav1.Status: how the API server says no.</summary>
public sealed record ApiStatus
{
    public string? Reason { get; init; }
    public string? Message { get; init; }
    public int? Code { get; init; }
    public ApiStatusDetails? Details { get; init; }
}

public sealed record ApiStatusDetails
{
    public int? RetryAfterSeconds { get; init; }
    public string? Kind { get; init; }
    public string? Name { get; init; }
}

/// <summary>Reads a Node's list of conditions into the verdict of "Ready". Written back it would lose the others, so it is not.</summary>
public sealed class ReadyConditionConverter : JsonConverter<bool>
{
    public override bool Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var ready = false;
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("a list of conditions was expected");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) ready |= ReadCondition(ref reader);
        return ready;
    }

    private static bool ReadCondition(ref Utf8JsonReader reader)
    {
        bool isReady = false, isTrue = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isStatus = !isType && reader.ValueTextEquals("status"u8);
            reader.Read();
            if (isType) isReady = reader.ValueTextEquals("Ready"u8);
            else if (isStatus) isTrue = reader.ValueTextEquals("True"u8);
            else reader.TrySkip(); // Skip refuses to where an answer is read block by block; all of our value is there
        }
        return isReady && isTrue;
    }

    public override void Write(Utf8JsonWriter writer, bool value, JsonSerializerOptions options) => writer.WriteNullValue();
}
