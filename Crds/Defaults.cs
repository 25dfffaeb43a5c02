namespace KruiseImage.Crds;

/// <summary>
/// The values of fields that nobody set (contract 1.5). The schema sets the same ones; controller and daemon read through these
/// again, so an object written by anyone, through any server, is safe.
/// </summary>
public static class Defaults
{
    public const string Group = "apps.kruise.io";
    public const string Version = "v1beta1";
    public const string ApiVersion = Group + "/" + Version;

    /// <summary>A NodeImage with this label has no Node and is left alone.</summary>
    public const string FakeNodeImageLabel = "apps.kruise.io/fake-nodeimage";

    public const string IfNotPresent = nameof(IfNotPresent);
    public const string Always = nameof(Always);
    public const string Never = nameof(Never);

    public const int MaxImages = 256;
    public const int MaxTagsPerImage = 256;
    public const int MaxPullSecrets = 256;
    public const int BackoffLimit = 3;
    public const int TimeoutSeconds = 600;
    public const int Parallelism = 1;

    /// <summary>How long a finished entry of a job stays when the job does not say.</summary>
    public const int EntryTtlSeconds = 3600;

    /// <summary>
    /// A person's number of seconds as a span that can be added to any time and multiplied by any attempt: more than 68 years is for
    /// ever. A larger one would leave the calendar.
    /// </summary>
    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue));

    public static TimeSpan Timeout(int? timeoutSeconds) => TimeSpan.FromSeconds(timeoutSeconds is > 0 ? timeoutSeconds.Value : TimeoutSeconds);

    public static int Backoff(int? backoffLimit) => backoffLimit is >= 0 ? backoffLimit.Value : BackoffLimit;

    public static bool PullsAlways(string? imagePullPolicy) => imagePullPolicy == Always;

    public static bool CompletesNever(CompletionPolicy? policy) => policy?.Type == Never;
}
