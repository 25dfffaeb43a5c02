namespace KruiseImage.Scenarios;

/// <summary>An image in a test registry: <paramref name="Repository"/> is its path there.</summary>
/// <param name="Tag">Or a digest.</param>
/// <param name="Host">As a reference names the registry; Docker Hub is not named.</param>
public sealed record TestImage(string Repository, string Tag, string Host = "")
{
    public static readonly TestImage Nginx = new("library/nginx", "1.9.1");

    public static readonly TestImage Ubuntu = new("library/ubuntu", "latest");

    /// <summary>The familiar name, which NodeImages use as the key.</summary>
    public string Name => Host.Length > 0 ? $"{Host}/{Repository}" : Repository.StartsWith("library/", StringComparison.Ordinal) ? Repository["library/".Length..] : Repository;

    public string Reference => $"{Name}{(Tag.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{Tag}";
}
