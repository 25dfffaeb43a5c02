using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>
/// What pausing and resuming write: parallelism 0, and in an annotation the value that stood there, as JSON, so that a resumed object is
/// what it was, byte for byte. Pure: made from an object as the server has it.
/// </summary>
public static class Pausing
{
    /// <summary>The parallelism before "ctl pause"; "ctl resume" puts it back and takes the annotation away.</summary>
    public const string Annotation = "kruise-image/parallelism";

    public static bool IsPaused(JsonElement target) => Spec(target) is { } spec && spec.TryGetProperty("parallelism", out var value) && Parallelism(value)?.Of(1) == 0;

    /// <summary>As JSON; "null" when nothing stands there.</summary>
    public static string ParallelismOf(JsonElement target) => Spec(target) is { } spec && spec.TryGetProperty("parallelism", out var value) ? value.GetRawText() : "null";

    /// <summary>Null when it is paused already.</summary>
    public static byte[]? Pause(JsonElement target)
    {
        if (IsPaused(target)) return null;
        return MergePatch.Of(target, ParallelismOf(target), Annotation, writer => writer.WriteNumber("parallelism", 0));
    }

    /// <summary>The value before the pause, as JSON; null when nobody knows it: it was created paused, or by another hand.</summary>
    public static string? Before(JsonElement target)
    {
        if (MergePatch.AnnotationOf(target, Annotation) is not { } json) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Null || Parallelism(document.RootElement)?.Of(1) is > 0 ? json : null;
        }
        catch (JsonException)
        {
            return null; // a person may have edited it
        }
    }

    /// <param name="parallelism">As JSON.</param>
    /// <returns>Null when it is so already.</returns>
    public static byte[]? Resume(JsonElement target, string parallelism)
    {
        if (ParallelismOf(target) == parallelism && MergePatch.AnnotationOf(target, Annotation) is null) return null;
        return MergePatch.Of(target, null, Annotation, writer =>
        {
            writer.WritePropertyName("parallelism");
            writer.WriteRawValue(parallelism);
        });
    }

    private static JsonElement? Spec(JsonElement target) => target.TryGetProperty("spec", out var spec) && spec.ValueKind == JsonValueKind.Object ? spec : null;

    private static IntOrPercent? Parallelism(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt32(out var count) => count,
        JsonValueKind.String => new IntOrPercent(0, value.GetString()),
        _ => null,
    };
}
