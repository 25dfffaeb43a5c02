using System.Text.RegularExpressions;
using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>The Dockerfile says again what others say first: nothing here runs Docker, so each of its words is compared with theirs.</summary>
public sealed partial class DockerfileTests
{
    private static readonly string Dockerfile = Read("Dockerfile");

    [Fact]
    public void It_installs_what_a_build_needs()
    {
        var needed = Regex.Match(Read("e2e/install-parts.sh"), "^packages (clang .*)$", RegexOptions.Multiline).Groups[1].Value;
        Assert.NotEmpty(needed);
        Assert.Equal(needed.Split(' ').Order(), Regex.Match(Dockerfile, "--no-install-recommends (.*)").Groups[1].Value.Split(' ').Order());
    }

    [Fact]
    public void Its_SDK_is_ours() =>
        Assert.Equal(Regex.Match(Read("global.json"), "\"version\": \"([^\"]+)\"").Groups[1].Value, Regex.Match(Dockerfile, @"dotnet/sdk:(\S+) ").Groups[1].Value);

    /// <summary>Every file that the project is built from comes in, past .dockerignore too.</summary>
    [Fact]
    public void It_copies_what_the_project_compiles()
    {
        var project = Read("kruise-image.csproj");
        var sources = Include().Matches(project).SelectMany(match => match.Groups[1].Value.Split(';')).Select(pattern => pattern.Split('/')[0])
            .Concat(["kruise-image.csproj", "packages.lock.json", "global.json", "Directory.Build.props", "Directory.Packages.props", "substitutions.xml", ".editorconfig"]).Distinct().ToList();
        Assert.Contains("Modes", sources);
        Assert.Contains("BannedSymbols.txt", sources);
        var copied = Regex.Matches(Dockerfile, @"^COPY (?!--from)(.*) \S+$", RegexOptions.Multiline).SelectMany(match => match.Groups[1].Value.Split(' ')).ToList();
        Assert.Equal(sources.Order(), copied.Order());
        Assert.Equal(sources.Order(), Regex.Matches(Read(".dockerignore"), "^!(.*)$", RegexOptions.Multiline).Select(match => match.Groups[1].Value).Order());
        Assert.All(copied, path => Assert.True(Path.Exists(Path.Combine(SourceFile.Root, path)), path));
    }

    [Fact]
    public void Its_image_starts_as_that_of_a_release()
    {
        var release = Read("e2e/bed/Releases/ReleaseImage.cs");
        foreach (var (instruction, field) in (ReadOnlySpan<(string, string)>)[("USER", "User"), ("ENV", "Env")])
        {
            var value = Regex.Match(Dockerfile, $"^{instruction} (.*)$", RegexOptions.Multiline).Groups[1].Value;
            Assert.Matches($@"\[""{field}""\] = (new JsonArray\()?""{Regex.Escape(value)}""", release);
        }

        Assert.Contains("ENTRYPOINT [\"/kruise-image\"]", Dockerfile, StringComparison.Ordinal);
        Assert.Contains("[\"Entrypoint\"] = new JsonArray($\"/{ReleaseStamp.Name}\")", release, StringComparison.Ordinal);
        Assert.Contains("<AssemblyName>kruise-image</AssemblyName>", Read("kruise-image.csproj"), StringComparison.Ordinal);
        Assert.EndsWith("FROM scratch", Regex.Match(Dockerfile, @"(?s)^(.*FROM \S+)\nCOPY --from=build /publish/kruise-image /kruise-image\n").Groups[1].Value, StringComparison.Ordinal);
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(SourceFile.Root, path));

    [GeneratedRegex("<(?:Compile|Protobuf|EmbeddedResource|AdditionalFiles) Include=\"([^\"]+)\"")]
    private static partial Regex Include();
}
