namespace KruiseImage.Reconcile.Kube;

/// <summary>How the API server said no. Operating errors are values; only programmer errors throw.</summary>
public enum ApiError
{
    None,
    NotFound,
    AlreadyExists,
    /// <summary>The object is not what the caller read: its resourceVersion moved, or a JSON Patch test failed.</summary>
    Conflict,
    /// <summary>410: the resourceVersion or continue token is too old; list again.</summary>
    Gone,
    /// <summary>The server's validation refused the object.</summary>
    Invalid,
    Unauthorized,
    Forbidden,
    /// <summary>429; see <see cref="ApiResult{T}.RetryAfter"/>.</summary>
    TooManyRequests,
    /// <summary>5xx, no connection, or no answer in time. The request may have been applied.</summary>
    Unavailable,
    /// <summary>An answer that is no JSON, or not of the kind that was asked for.</summary>
    Unreadable,
    /// <summary>Any other refusal: asking again does not help.</summary>
    Failed,
}

/// <summary>
/// The object, or why there is none. <see cref="Message"/> is the server's own sentence, fit for a person; beside a list it names the
/// objects that were left out because they cannot be read.
/// </summary>
public readonly record struct ApiResult<T>(T? Value, ApiError Error, string Message = "", TimeSpan? RetryAfter = null)
    where T : class
{
    public bool IsOk => Error == ApiError.None;

    public static implicit operator ApiResult<T>(T value) => new(value, ApiError.None);

    public ApiResult<TOther> As<TOther>()
        where TOther : class => new(null, Error, Message, RetryAfter);
}
