namespace KruiseImage.Reconcile.Kube;

/// <summary>From HTTP status and metav1.Status reason to what callers decide on. Pure.</summary>
public static class ApiErrors
{
    public static ApiError Of(int statusCode, string? reason) => statusCode switch
    {
        401 => ApiError.Unauthorized,
        403 => ApiError.Forbidden,
        404 => ApiError.NotFound,
        409 => reason == "AlreadyExists" ? ApiError.AlreadyExists : ApiError.Conflict,
        410 => ApiError.Gone,
        422 => ApiError.Invalid,
        429 => ApiError.TooManyRequests,
        >= 500 => ApiError.Unavailable,
        _ => ApiError.Failed,
    };
}
