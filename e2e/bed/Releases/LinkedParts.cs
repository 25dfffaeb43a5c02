using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KruiseImage.Bed.Releases;

/// <summary>A package that has a part in an executable, and which of its files.</summary>
/// <param name="Purl">A "package URL", which names it among all packages of the world.</param>
/// <param name="Licenses">An SPDX expression, or null where the package does not say it as one.</param>
public sealed record LinkedPart(string Name, string Version, string Purl, string HashAlgorithm, string Hash, string? Licenses, SortedSet<string> Files);

/// <summary>
/// What an executable is made of: not what somebody listed, but what the compiler and the linker wrote down that they read. A file whose
/// package is not known fails the release.
/// </summary>
public static partial class LinkedParts
{
    /// <summary>Compiled in each build from the C sources that are in the compiler's package for the machine that builds.</summary>
    private const string Shim = "libSystem.Security.Cryptography.Native.OpenSsl.a";

    /// <summary>By source package: Debian says it in prose only.</summary>
    private static readonly Dictionary<string, string> debianLicenses = new()
    {
        ["glibc"] = "LGPL-2.1-or-later",
        ["gcc-12"] = "GPL-3.0-or-later WITH GCC-exception-3.1",
        ["openssl"] = "Apache-2.0",
    };

    /// <param name="compilerResponse">The compiler's response file: an assembly for each <c>-r:</c>.</param>
    /// <param name="linkedFiles">The linker's dependency file, in the syntax of make.</param>
    /// <param name="sysroot">Made by <c>install-parts.sh release</c>.</param>
    /// <param name="lockFile">Of NuGet.</param>
    /// <param name="architecture">As Debian names it.</param>
    public static IReadOnlyList<LinkedPart> Read(string compilerResponse, string linkedFiles, string sysroot, string lockFile, string architecture)
    {
        sysroot = Path.GetFullPath(sysroot);
        var hashes = NuGetHashes(lockFile);
        var debian = File.ReadLines(Path.Combine(sysroot, "files.tsv")).Select(line => line.Split('\t')).ToDictionary(fields => fields[0]);
        var parts = new SortedDictionary<string, LinkedPart>(StringComparer.Ordinal);
        foreach (var file in Assemblies(compilerResponse).Concat(Inputs(linkedFiles)))
        {
            if (IsOwn(file))
                continue;
            var part = Path.GetFileName(file) == Shim ? OfCompiler(hashes)
                : InSysroot(file, sysroot, debian) is { } fields ? OfDebian(fields, architecture)
                : NuGetPath().Match(file) is { Success: true } path ? OfNuGet(path, hashes)
                : throw new BedException($"{file} was linked, and no package is known that it is of");
            parts.TryAdd(part.Purl, part);
            parts[part.Purl].Files.Add(Path.GetFileName(file));
        }
        return [.. parts.Values];
    }

    private static IEnumerable<string> Assemblies(string compilerResponse) =>
        File.ReadLines(compilerResponse).Where(line => line.StartsWith("-r:", StringComparison.Ordinal)).Select(line => line[3..].Trim('"'));

    // "output: \", then a file each line; the empty rules of each input come after a blank line.
    private static IEnumerable<string> Inputs(string linkedFiles) =>
        File.ReadAllText(linkedFiles).Split("\n\n")[0].Split('\n').Skip(1).Select(line => line.TrimEnd('\\').Trim()).Where(file => file.Length > 0);

    // What the build made itself is named from the project's directory, and it is made of our sources, but for archives: the shim, and
    // copies of what is in the sysroot.
    private static bool IsOwn(string file) => !Path.IsPathRooted(file) && !file.EndsWith(".a", StringComparison.Ordinal);

    /// <summary>What is known of a file of the sysroot, or of one that the build copied from it under the same name.</summary>
    private static string[]? InSysroot(string file, string sysroot, Dictionary<string, string[]> debian) =>
        !Path.IsPathRooted(file) ? debian.SingleOrDefault(known => Path.GetFileName(known.Key) == Path.GetFileName(file)).Value
        : file.StartsWith(sysroot + "/", StringComparison.Ordinal) ? debian.GetValueOrDefault(file[sysroot.Length..]) : null;

    private static LinkedPart OfCompiler(Dictionary<string, (string Name, string Hash)> hashes)
    {
        var (key, (name, hash)) = hashes.Single(package => package.Key.StartsWith("runtime.linux-x64.microsoft.dotnet.ilcompiler/", StringComparison.Ordinal));
        return NuGetPart(name, key.Split('/')[1], hash, "MIT");
    }

    private static LinkedPart OfDebian(string[] fields, string architecture)
    {
        var (package, version, source) = (fields[1], fields[2], fields[3]);
        return new LinkedPart(package, version, $"pkg:deb/debian/{package}@{Uri.EscapeDataString(version)}?arch={architecture}&upstream={source}",
            "SHA-256", fields[4], debianLicenses.GetValueOrDefault(source), []);
    }

    private static LinkedPart OfNuGet(Match path, Dictionary<string, (string Name, string Hash)> hashes)
    {
        var (id, version) = (path.Groups["id"].Value, path.Groups["version"].Value);
        var specification = XDocument.Load(Path.Combine(path.Groups["root"].Value, id, version, id + ".nuspec")).Root!;
        var metadata = specification.Elements().Single(element => element.Name.LocalName == "metadata").Elements().ToLookup(element => element.Name.LocalName);
        var license = metadata["license"].SingleOrDefault(element => element.Attribute("type")?.Value == "expression")?.Value;
        var name = metadata["id"].Single().Value;
        // The runtime's own packages are not in the lock file; what NuGet wrote beside them when it checked them is.
        var hash = hashes.TryGetValue($"{id}/{version}", out var locked) ? locked.Hash
            : File.ReadAllText(Path.Combine(path.Groups["root"].Value, id, version, $"{id}.{version}.nupkg.sha512"));
        return NuGetPart(name, version, hash, license);
    }

    private static LinkedPart NuGetPart(string name, string version, string hash, string? license) =>
        new(name, version, $"pkg:nuget/{name}@{Uri.EscapeDataString(version)}", "SHA-512", Convert.ToHexStringLower(Convert.FromBase64String(hash.Trim())), license, []);

    private static Dictionary<string, (string Name, string Hash)> NuGetHashes(string lockFile) =>
        JsonNode.Parse(File.ReadAllText(lockFile))!["dependencies"]!.AsObject().SelectMany(framework => framework.Value!.AsObject())
            .Where(package => package.Value!["contentHash"] is not null)
            .DistinctBy(package => Key(package.Key, package.Value!.Text("resolved")))
            .ToDictionary(package => Key(package.Key, package.Value!.Text("resolved")), package => (package.Key, package.Value!.Text("contentHash")));

    private static string Key(string name, string version) => $"{name.ToLowerInvariant()}/{version}";

    [GeneratedRegex("^(?<root>.*)/(?<id>[^/]+)/(?<version>[0-9][^/]*)/(?:lib|runtimes|ref|native)/")]
    private static partial Regex NuGetPath();
}
