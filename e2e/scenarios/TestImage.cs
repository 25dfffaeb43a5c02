namespace KruiseImage.Scenarios;

/// <summary>An image in the test registry: <paramref name="Repository"/> is its path there.</summary>
public sealed record TestImage(string Repository, string Tag)
{
    public static readonly TestImage Nginx = new("library/nginx", "1.9.1");

    public static readonly TestImage Ubuntu = new("library/ubuntu", "latest");

    /// <summary>The familiar name, which NodeImages use as the key.</summary>
    public string Name => Repository.StartsWith("library/", StringComparison.Ordinal) ? Repository["library/".Length..] : Repository;

    public string Reference => $"{Name}:{Tag}";
}
