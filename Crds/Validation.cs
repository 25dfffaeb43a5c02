namespace KruiseImage.Crds;

/// <summary>
/// The rules of contract 1.4 in C#, for servers that do not know CEL: the controller asks before it acts on an object and puts the
/// answer into the condition "Invalid". A constant below is the message of the CEL rule of the same meaning in manifests/crds,
/// word for word; a test compares them. Pure, and it never throws, whatever an object holds.
/// </summary>
public static class Validation
{
    public const string ImageReference =
        "not an image reference: write it as nginx:1.9.1, quay.io/team/app, localhost:5000/app or app@sha256:…, in lower case";

    public const string OneSelector = "selector and podSelector exclude each other: set one of them";
    public const string NamesOrLabels = "selector.names excludes matchLabels and matchExpressions: select nodes by name or by label";
    public const string OperatorValues = "operators In and NotIn need values; Exists and DoesNotExist take none";
    public const string Parallelism = "parallelism must be a number of nodes (0 pauses the job) or a percentage from 1% to 100%";

    public const string PullSecretName = "a pull secret is named as the Secret is: lower-case letters, digits, '-' and '.', at most 253";

    public const string NeverEnds =
        "activeDeadlineSeconds and ttlSecondsAfterFinished need completion type Always: a job of type Never does not end";

    public const string DeadlineHoldsOnePull =
        "completionPolicy.activeDeadlineSeconds must be at least pullPolicy.timeoutSeconds (600 unless set): one pull must have time to end";

    public const string TtlWithoutOwner =
        "pullPolicy.ttlSecondsAfterFinished is required on an entry without ownerReferences: it says when the entry goes";

    /// <summary>Null when the spec is valid, else the first rule it breaks, with the field in front.</summary>
    public static string? ImagePullJob(ImagePullJobSpec spec) => Image("spec.image", spec.Image) ?? Template(spec);

    /// <inheritdoc cref="ImagePullJob"/>
    public static string? ImageListPullJob(ImageListPullJobSpec spec)
    {
        if (spec.Images is not { Count: > 0 } images) return "spec.images: name at least one image";
        if (images.Count > Defaults.MaxImages) return $"spec.images: {images.Count} images; at most {Defaults.MaxImages} are allowed";
        if (Duplicate(images) is { } twice) return $"spec.images: {Quoted.Of(twice)} is there twice";
        for (var i = 0; i < images.Count; i++)
            if (Image($"spec.images[{i}]", images[i]) is { } error) return error;
        return Template(spec);
    }

    /// <inheritdoc cref="ImagePullJob"/>
    public static string? NodeImage(NodeImageSpec? spec)
    {
        if (spec?.Images is not { } images) return null;
        if (images.Count > Defaults.MaxImages) return $"spec.images: {images.Count} images; at most {Defaults.MaxImages} are allowed";
        foreach (var (name, image) in images)
        {
            // The field's path is built only for what is wrong: a NodeImage may have thousands of entries.
            if (image?.Tags is not { } tags) continue;
            if (Duplicate([.. tags.Select(entry => entry?.Tag ?? "")]) is { } twice) return $"spec.images[{name}].tags: {Quoted.Of(twice)} is there twice";
            foreach (var entry in tags)
                if (Entry(entry) is { } error) return $"spec.images[{name}].tags[{entry?.Tag}]{error}";
        }

        return null;
    }

    /// <summary>Whether an object can have the name (a DNS subdomain): anything else must not come into a path of the API.</summary>
    public static bool IsObjectName(string? name) => DnsName.IsSubdomain(name);

    private static string? Image(string field, string? image) =>
        string.IsNullOrEmpty(image) ? $"{field}: the image is empty"
        : Crds.ImageReference.TryParse(image, out _, out var error) ? null
        : $"{field}: {ImageReference} ({error})";

    private static string? Template(ImagePullJobTemplate spec) =>
        spec is { Selector: not null, PodSelector: not null } ? $"spec: {OneSelector}"
        : Selector(spec.Selector) ?? PodSelector(spec.PodSelector)
        ?? (spec.Parallelism is { } parallelism && parallelism.Of(1) is null ? $"spec.parallelism: {Parallelism}" : null)
        ?? (spec.PullSecrets?.FindIndex(name => !IsObjectName(name)) is >= 0 and var wrong ? $"spec.pullSecrets: {Quoted.Of(spec.PullSecrets[wrong])}: {PullSecretName}" : null)
        ?? Completion(spec.CompletionPolicy)
        ?? Pull("spec.pullPolicy", spec.PullPolicy?.TimeoutSeconds, spec.PullPolicy?.BackoffLimit)
        ?? PullsWhen("spec.imagePullPolicy", spec.ImagePullPolicy)
        ?? (spec.CompletionPolicy?.ActiveDeadlineSeconds < (spec.PullPolicy?.TimeoutSeconds ?? Defaults.TimeoutSeconds)
            ? $"spec: {DeadlineHoldsOnePull}" : null);

    private static string? Selector(NodeSelector? selector)
    {
        if (selector is null) return null;
        if (selector.Names is { Count: > 0 } names)
        {
            if (selector.MatchLabels is { Count: > 0 } || selector.MatchExpressions is { Count: > 0 }) return $"spec.selector: {NamesOrLabels}";
            if (names.Exists(string.IsNullOrEmpty)) return "spec.selector.names: a name is empty";
            if (Duplicate(names) is { } twice) return $"spec.selector.names: {Quoted.Of(twice)} is there twice";
        }

        return Expressions("spec.selector", selector.MatchExpressions)
            ?? (LabelSelector.TryCompile(selector.MatchLabels, selector.MatchExpressions, out _, out var error) ? null : $"spec.selector: {error}");
    }

    private static string? PodSelector(PodSelector? selector) =>
        selector is null ? null
        : Expressions("spec.podSelector", selector.MatchExpressions)
        ?? (LabelSelector.TryCompile(selector, out _, out var error) ? null : $"spec.podSelector: {error}");

    private static string? Expressions(string field, List<LabelSelectorRequirement>? expressions)
    {
        foreach (var expression in expressions ?? [])
            if (expression is { Operator: "In" or "NotIn", Values: null or [] } or { Operator: "Exists" or "DoesNotExist", Values: [_, ..] })
                return $"{field}.matchExpressions: {OperatorValues}";
        return null;
    }

    private static string? Completion(CompletionPolicy? policy) => policy switch
    {
        null => null,
        { Type: not (null or Defaults.Always or Defaults.Never) } => $"spec.completionPolicy.type: {Quoted.Of(policy.Type)} is neither Always nor Never",
        { ActiveDeadlineSeconds: < 1 } => "spec.completionPolicy.activeDeadlineSeconds: must be greater than 0",
        { TtlSecondsAfterFinished: < 0 } => "spec.completionPolicy.ttlSecondsAfterFinished: must not be negative",
        { Type: Defaults.Never, ActiveDeadlineSeconds: not null } or { Type: Defaults.Never, TtlSecondsAfterFinished: not null } =>
            $"spec.completionPolicy: {NeverEnds}",
        _ => null,
    };

    private static string? Pull(string field, int? timeoutSeconds, int? backoffLimit) =>
        timeoutSeconds < 1 ? $"{field}.timeoutSeconds: must be greater than 0"
        : backoffLimit < 0 ? $"{field}.backoffLimit: must not be negative"
        : null;

    private static string? PullsWhen(string field, string? policy) =>
        policy is null or Defaults.IfNotPresent or Defaults.Always ? null : $"{field}: {Quoted.Of(policy)} is neither IfNotPresent nor Always";

    private static string? Entry(ImageTagSpec? entry) => entry switch
    {
        null or { Tag: null or "" } => ": the tag is empty",
        { Version: < 0 } => ".version: must not be negative",
        { PullPolicy.TtlSecondsAfterFinished: < 0 } => ".pullPolicy.ttlSecondsAfterFinished: must not be negative",
        { PullPolicy.ActiveDeadlineSeconds: < 1 } => ".pullPolicy.activeDeadlineSeconds: must be greater than 0",
        { OwnerReferences: null or [], PullPolicy: null or { TtlSecondsAfterFinished: null } } => $": {TtlWithoutOwner}",
        _ => Pull(".pullPolicy", entry.PullPolicy?.TimeoutSeconds, entry.PullPolicy?.BackoffLimit) ?? PullsWhen(".imagePullPolicy", entry.ImagePullPolicy),
    };

    private static string? Duplicate(List<string> values)
    {
        if (values.Count < 2) return null;
        var seen = new HashSet<string>(values.Count, StringComparer.Ordinal);
        return values.Find(value => !seen.Add(value));
    }
}
