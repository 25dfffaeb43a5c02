namespace KruiseImage.Crds;

/// <summary>One ImagePullJob per image, all with the same template.</summary>
public sealed record ImageListPullJob : IKubeObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();
    public ImageListPullJobSpec Spec { get; init => field = value ?? new(); } = new();
    public ImageListPullJobStatus? Status { get; init; }
}

public sealed record ImageListPullJobSpec : ImagePullJobTemplate
{
    public ImageListPullJobSpec()
    {
    }

    /// <summary>All that the template has; the images are to be set.</summary>
    public ImageListPullJobSpec(ImagePullJobTemplate template)
        : base(template)
    {
    }

    public List<string>? Images { get; init; }
}

public sealed record ImageListPullJobStatus
{
    public DateTimeOffset? StartTime { get; init; }
    public DateTimeOffset? CompletionTime { get; init; }
    public int Desired { get; init; }
    public int Active { get; init; }
    public int Completed { get; init; }
    public int Succeeded { get; init; }
    /// <summary>Sorted by image.</summary>
    public List<FailedImageStatus>? FailedImageStatuses { get; init; }
    public long? ObservedGeneration { get; init; }
    public List<Condition>? Conditions { get; init; }
}

public sealed record FailedImageStatus
{
    public string? ImagePullJob { get; init; }
    public string? Name { get; init; }
    public string? Message { get; init; }
}
