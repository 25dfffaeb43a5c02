using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>From a refusal as the server words it to what callers decide on. Pure.</summary>
public static class ApiErrors
{
    /// <param name="statusCode">Of the HTTP answer, or of the status in a watch.</param>
    /// <param name="testsState">The request was a JSON Patch with a "test".</param>
    public static ApiError Of(int statusCode, ApiStatus? status, bool testsState = false) => statusCode switch
    {
        401 => ApiError.Unauthorized,
        403 => ApiError.Forbidden,
        404 => ApiError.NotFound,
        409 => status?.Reason == "AlreadyExists" ? ApiError.AlreadyExists : ApiError.Conflict,
        410 => ApiError.Gone,
        // A patch that does not apply and an object that breaks the rules are both 422; only the latter names the object.
        422 => testsState && string.IsNullOrEmpty(status?.Details?.Name) ? ApiError.Conflict : ApiError.Invalid,
        429 => ApiError.TooManyRequests,
        // Our version is of a future that a restored etcd has lost: it will not come.
        504 when status?.Message?.Contains("Too large resource version", StringComparison.OrdinalIgnoreCase) == true => ApiError.Gone,
        >= 500 => ApiError.Unavailable,
        _ => ApiError.Failed,
    };
}
