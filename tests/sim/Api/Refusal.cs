using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>The server says no: what would stand in the metav1.Status of its answer. The product's own mapping makes an error of it.</summary>
/// <param name="Name">Of the details: only where the refusal is about an object.</param>
internal sealed record Refusal(int Code, string Reason, string Message, string? Name = null)
{
    public static Refusal NotFound(SimKind kind, string name) => new(404, "NotFound", $"{kind.Qualified} \"{name}\" not found", name);

    public static Refusal AlreadyExists(SimKind kind, string name) => new(409, "AlreadyExists", $"{kind.Qualified} \"{name}\" already exists", name);

    public static Refusal Modified(SimKind kind, string name) => Conflict(kind, name,
        "the object has been modified; please apply your changes to the latest version and try again");

    public static Refusal Conflict(SimKind kind, string name, string why) => new(409, "Conflict", $"Operation cannot be fulfilled on {kind.Qualified} \"{name}\": {why}", name);

    public static Refusal Invalid(SimKind kind, string name, string why) => new(422, "Invalid", $"{kind.QualifiedKind} \"{name}\" is invalid: {why}", name);

    /// <summary>A patch that does not apply: it names no object.</summary>
    public static Refusal Unprocessable(string why) => new(422, "", $"the server rejected our request due to an error in our request: {why}");

    public static Refusal BadRequest(string why) => new(400, "BadRequest", why);

    public static Refusal Expired(string why) => new(410, "Expired", why);

    public ApiStatus Status => new() { Code = Code, Reason = Reason, Message = Message, Details = Name is null ? null : new ApiStatusDetails { Name = Name } };

    public ApiResult<T> As<T>(bool testsState = false)
        where T : class => new(null, ApiErrors.Of(Code, Status, testsState), Message);
}
