namespace KruiseImage.Bed;

/// <summary>Where the programs are that the bed starts. <c>install-parts.sh</c> puts them there; the order of the places is the same.</summary>
public static class Parts
{
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    public static string Product => Path.Combine(RepositoryRoot, "artifacts/bin/kruise-image");

    public static string Manifests => Path.Combine(RepositoryRoot, "manifests");

    public static string Find(string program)
    {
        var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).ToList();
        places.Insert(0, Path.Combine(Cache, "bin"));
        // envtest's convention: who sets it wants this control plane and not the one in the cache.
        if (Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets)
            places.Insert(0, assets);
        return places.Select(place => Path.Combine(place, program)).FirstOrDefault(File.Exists)
            ?? throw new BedException($"{program} is not installed. Run e2e/install-parts.sh.");
    }

    private static string Cache =>
        Environment.GetEnvironmentVariable("KRUISE_IMAGE_CACHE") is { Length: > 0 } cache ? cache
        : Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home ? home
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "kruise-image");

    private static string FindRepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "kruise-image.csproj")))
                return directory.FullName;
        throw new BedException($"No kruise-image.csproj above {AppContext.BaseDirectory}: run the bed from a clone.");
    }
}
