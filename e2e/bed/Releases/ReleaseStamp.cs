namespace KruiseImage.Bed.Releases;

/// <summary>What was released: all that the files of a release say about when and from what they were made.</summary>
/// <param name="Time">Of the commit, not of the build: the same release made again has the same bytes.</param>
/// <param name="Source">Where the sources are, when whoever releases says it.</param>
public sealed record ReleaseStamp(string Version, string Commit, DateTimeOffset Time, Uri? Source)
{
    public const string Name = "kruise-image";
    public const string Licenses = "Apache-2.0";

    public string Created => Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
