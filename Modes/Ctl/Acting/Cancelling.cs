using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>
/// What cancelling writes: a deadline of one second after the start, which is over, so that the controller ends the job, stops its pulls
/// and keeps what was reached. A deadline must leave time for one attempt, so the attempts' timeout goes down with it; an annotation keeps
/// what stood there, for "ctl retry". Pure.
/// </summary>
public static class Cancelling
{
    /// <summary>The policies before "ctl cancel", as JSON: {"completionPolicy":…,"pullPolicy":…}.</summary>
    public const string Annotation = "kruise-image/cancelled";

    private const int Seconds = 1;

    /// <summary>Null when it was cancelled before.</summary>
    public static byte[]? Cancel(JsonElement job)
    {
        if (MergePatch.AnnotationOf(job, Annotation) is not null) return null;
        return MergePatch.Of(job, Before(job), Annotation, writer =>
        {
            writer.WriteStartObject("completionPolicy");
            writer.WriteString("type", Defaults.Always);
            writer.WriteNumber("activeDeadlineSeconds", Seconds);
            writer.WriteEndObject();
            writer.WriteStartObject("pullPolicy");
            writer.WriteNumber("timeoutSeconds", Seconds);
            writer.WriteEndObject();
        });
    }

    /// <summary>The template as it was before the job was cancelled; of another job as it is.</summary>
    public static ImagePullJobTemplate TemplateOf(ImagePullJob job, JsonElement json)
    {
        if (MergePatch.AnnotationOf(json, Annotation) is not { } before) return job.Spec;
        try
        {
            var policies = JsonSerializer.Deserialize(before, CrdJson.Default.ImagePullJobTemplate);
            return job.Spec with { CompletionPolicy = policies?.CompletionPolicy, PullPolicy = policies?.PullPolicy };
        }
        catch (JsonException)
        {
            return job.Spec with { CompletionPolicy = null, PullPolicy = null }; // a person may have edited it: the defaults, and not our second
        }
    }

    private static string Before(JsonElement job)
    {
        var has = job.TryGetProperty("spec", out var spec);
        string Raw(string field) => has && spec.TryGetProperty(field, out var value) ? value.GetRawText() : "null";
        return $$"""{"completionPolicy":{{Raw("completionPolicy")}},"pullPolicy":{{Raw("pullPolicy")}}}""";
    }
}
