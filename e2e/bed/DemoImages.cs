namespace KruiseImage.Bed;

/// <summary>The manual's own images, made here: the same names, our bytes.</summary>
public static class DemoImages
{
    public const string Nginx = "nginx:1.9.1";
    public const string Ubuntu = "ubuntu:latest";

    public static async Task PushAsync(Registry registry, CancellationToken cancellationToken)
    {
        await registry.PushAsync("library/nginx", "1.9.1", new ImageContent(seed: 1, bytes: 24 << 20), cancellationToken);
        await registry.PushAsync("library/ubuntu", "latest", new ImageContent(seed: 2, bytes: 12 << 20, layers: 1), cancellationToken);
    }
}
