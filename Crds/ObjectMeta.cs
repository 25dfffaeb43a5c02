using System.Text.Json.Serialization;

namespace KruiseImage.Crds;

/// <summary>An object that the API server stores: it has a name, a version and a type that one JSON context knows.</summary>
public interface IKubeObject
{
    ObjectMeta Metadata { get; }
}

/// <summary>The part of an object's metadata that we read. Managed fields, and annotations of others, are not kept: caches hold 10,000 of these.</summary>
public sealed record ObjectMeta
{
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Name { get; init; }
    public string? GenerateName { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Namespace { get; init; }
    public string? Uid { get; init; }
    public string? ResourceVersion { get; init; }
    public long? Generation { get; init; }
    public DateTimeOffset? CreationTimestamp { get; init; }
    public DateTimeOffset? DeletionTimestamp { get; init; }
    [JsonConverter(typeof(LabelsConverter))]
    public Dictionary<string, string>? Labels { get; init; }
    /// <summary>Only those of a <see cref="SecretCopy"/>; null when there are none.</summary>
    [JsonConverter(typeof(CopyAnnotationsConverter))]
    public Dictionary<string, string>? Annotations { get; init; }
    public List<OwnerReference>? OwnerReferences { get; init; }
    public List<string>? Finalizers { get; init; }
}

/// <summary>metav1.OwnerReference.</summary>
public sealed record OwnerReference
{
    [JsonConverter(typeof(InternedStringConverter))]
    public string? ApiVersion { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Kind { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Name { get; init; }
    public string? Uid { get; init; }
    public bool? Controller { get; init; }
    public bool? BlockOwnerDeletion { get; init; }
}

/// <summary>v1.ObjectReference: what a NodeImage entry says of its owners, and an event of its subject.</summary>
public sealed record ObjectReference
{
    [JsonConverter(typeof(InternedStringConverter))]
    public string? ApiVersion { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Kind { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Namespace { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Name { get; init; }
    [JsonConverter(typeof(InternedStringConverter))]
    public string? Uid { get; init; }
    public string? ResourceVersion { get; init; }
}

/// <summary>metav1.Condition.</summary>
public sealed record Condition
{
    public string Type { get; init => field = value ?? ""; } = "";
    public string Status { get; init => field = value ?? ""; } = "";
    public long? ObservedGeneration { get; init; }
    public DateTimeOffset? LastTransitionTime { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
}

/// <summary>One page of a list.</summary>
public sealed record ObjectList<T>
{
    public ListMeta Metadata { get; init => field = value ?? new(); } = new();
    public List<T> Items { get; init => field = value ?? []; } = [];
}

/// <summary>metav1.ListMeta: the version the list was read at, and the token of the next page.</summary>
public sealed record ListMeta
{
    public string? ResourceVersion { get; init; }
    public string? Continue { get; init; }
}
