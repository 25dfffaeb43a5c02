using KruiseImage.Bed;
using KruiseImage.Bed.Releases;
using Xunit;

namespace KruiseImage.Tests.Releases;

/// <summary>What the linker read, traced to packages: the SBOM of a release.</summary>
public sealed class LinkedPartsTests : IDisposable
{
    private const string Architecture = "arm64";
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("kruise-image-linked.");

    private string Sysroot => Path.Combine(directory.FullName, "sysroot");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public void A_library_of_the_sysroot_and_a_copy_that_the_build_made_of_one_are_of_their_Debian_packages()
    {
        var parts = Read($"{Sysroot}/usr/lib/aarch64-linux-gnu/libc.a", "obj/libs/openssl/libssl.a", "obj/libs/openssl/libcrypto.a");

        Assert.Equal(["libc6-dev", "libssl-dev"], parts.Select(part => part.Name));
        Assert.Equal(["libc.a"], parts[0].Files);
        Assert.Equal(["libcrypto.a", "libssl.a"], parts[1].Files);
        Assert.Equal(("pkg:deb/debian/libssl-dev@3.0.22-1~deb12u2?arch=arm64&upstream=openssl", "Apache-2.0", "22"), (parts[1].Purl, parts[1].Licenses, parts[1].Hash));
    }

    [Fact]
    public void The_shim_is_of_the_compiler_and_our_own_objects_are_of_no_package()
    {
        var part = Assert.Single(Read("obj/native/kruise-image.o", "obj/native/sections.ld", "obj/libs/build/libSystem.Security.Cryptography.Native.OpenSsl.a"));
        Assert.Equal("pkg:nuget/runtime.linux-x64.Microsoft.DotNet.ILCompiler@10.0.12", part.Purl);
    }

    [Theory]
    [InlineData("obj/libs/openssl/libother.a")]
    [InlineData("/usr/lib/aarch64-linux-gnu/libcrypto.a")] // the machine's own, not the sysroot's
    public void A_library_of_no_known_package_fails_the_release(string file) =>
        Assert.Contains(file, Assert.Throws<BedException>(() => Read(file)).Message, StringComparison.Ordinal);

    private IReadOnlyList<LinkedPart> Read(params string[] linked)
    {
        Directory.CreateDirectory(Sysroot);
        File.WriteAllLines(Path.Combine(Sysroot, "files.tsv"), [
            "/usr/lib/aarch64-linux-gnu/libc.a\tlibc6-dev\t2.36-9\tglibc\t11",
            "/usr/lib/aarch64-linux-gnu/libcrypto.a\tlibssl-dev\t3.0.22-1~deb12u2\topenssl\t22",
            "/usr/lib/aarch64-linux-gnu/libssl.a\tlibssl-dev\t3.0.22-1~deb12u2\topenssl\t22",
        ]);
        return LinkedParts.Read(
            Written("kruise-image.ilc.rsp", "--targetos:linux\n"),
            Written("linked", $"kruise-image: \\\n{string.Join(" \\\n", linked.Select(file => "  " + file))}\n\n{string.Concat(linked.Select(file => file + ":\n\n"))}"),
            Sysroot,
            Written("packages.lock.json", """
                {"dependencies":{"net10.0":{"runtime.linux-x64.Microsoft.DotNet.ILCompiler":{"resolved":"10.0.12","contentHash":"AQID"}}}}
                """),
            Architecture);
    }

    private string Written(string name, string content)
    {
        var path = Path.Combine(directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
