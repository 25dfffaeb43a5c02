using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>Images in the order in which they were named, each once, as it was first written.</summary>
public sealed class PullImages
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private readonly List<ImageReference> _references = [];

    public IReadOnlyList<string> Texts => _texts;

    public IReadOnlyList<ImageReference> References => _references;

    /// <summary>"nginx" and "docker.io/library/nginx:latest" are one image.</summary>
    public void Add(string text, ImageReference reference)
    {
        if (!_known.Add(reference.ToString())) return;
        _texts.Add(text);
        _references.Add(reference);
    }
}
