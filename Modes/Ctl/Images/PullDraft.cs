using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>
/// One object that "pull" is about to create: an ImagePullJob for one image, an ImageListPullJob for several. Made by the options and by
/// what is read of workloads; the API server sees it as <see cref="Job"/> or <see cref="List"/>.
/// </summary>
/// <param name="Images">Each once.</param>
public sealed record PullDraft(ObjectMeta Metadata, ImagePullJobTemplate Template, IReadOnlyList<string> Images)
{
    public ImagePullJob? Job => Images is not [var image] ? null : new()
    {
        ApiVersion = Defaults.ApiVersion,
        Kind = nameof(ImagePullJob),
        Metadata = Metadata,
        Spec = new(Template) { Image = image },
    };

    public ImageListPullJob? List => Images.Count == 1 ? null : new()
    {
        ApiVersion = Defaults.ApiVersion,
        Kind = nameof(ImageListPullJob),
        Metadata = Metadata,
        Spec = new(Template) { Images = [.. Images] },
    };

    public IKubeObject Object => Job ?? (IKubeObject)List!;

    public static byte[] Json(IKubeObject target) => target is ImagePullJob job
        ? JsonSerializer.SerializeToUtf8Bytes(job, CrdJson.Default.ImagePullJob)
        : JsonSerializer.SerializeToUtf8Bytes((ImageListPullJob)target, CrdJson.Default.ImageListPullJob);

    /// <summary>The first rule that is broken, as the API server would say it; null when there is none.</summary>
    public string? Error => Job is { } job ? Validation.ImagePullJob(job.Spec) : Validation.ImageListPullJob(List!.Spec);
}
