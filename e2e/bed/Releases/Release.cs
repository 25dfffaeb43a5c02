using System.Globalization;

namespace KruiseImage.Bed.Releases;

/// <summary>The verbs that <c>e2e/release/release.sh</c> calls when it has built: <c>bed sbom</c> for each executable, then <c>bed image</c>.</summary>
public static class Release
{
    private static ReleaseStamp Stamp => new(
        Said("RELEASE_VERSION"), Said("RELEASE_COMMIT"), DateTimeOffset.FromUnixTimeSeconds(long.Parse(Said("SOURCE_DATE_EPOCH"), CultureInfo.InvariantCulture)),
        Environment.GetEnvironmentVariable("RELEASE_SOURCE") is { Length: > 0 } source ? new Uri(source) : null);

    /// <param name="executables">"ARCHITECTURE=FILE".</param>
    public static void WriteImage(string directory, IEnumerable<string> executables)
    {
        var image = new ReleaseImage(Stamp, executables.Select(Pair).Select(pair => KeyValuePair.Create(pair.Key, File.ReadAllBytes(pair.Value))));
        image.WriteLayout(Path.Combine(directory, "image"));
        image.WriteArchive(Path.Combine(directory, ReleaseStamp.Name + "-image.tar"));
        Console.WriteLine($"release: image {image.Digest}");
    }

    /// <param name="project">The directory that it was built in.</param>
    /// <param name="rid">As .NET names the architecture.</param>
    /// <param name="tools">"NAME=VERSION".</param>
    public static void WriteSbom(string executable, string project, string rid, string architecture, string sysroot, IEnumerable<string> tools)
    {
        var parts = LinkedParts.Read(
            Path.Combine(project, "obj/Release/net10.0", rid, "native", ReleaseStamp.Name + ".ilc.rsp"),
            Path.Combine(project, "publish", rid + ".linked"), sysroot, Path.Combine(project, "packages.lock.json"), architecture);
        var sbom = Sbom.Of(Stamp, Path.GetFileName(executable), File.ReadAllBytes(executable), parts, tools.Select(Pair).ToDictionary());
        File.WriteAllText(executable + ".cdx.json", sbom);
    }

    private static string Said(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value
        : throw new BedException($"{variable} is not set. e2e/release/release.sh sets it.");

    private static KeyValuePair<string, string> Pair(string argument) => argument.Split('=', 2) is [var name, var value] ? new(name, value)
        : throw new BedException($"'{argument}' is not NAME=VALUE");
}
