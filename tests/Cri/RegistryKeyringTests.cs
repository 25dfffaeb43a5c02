using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>Which credential goes with which image, by the kubelet's rules (contract 4.3).</summary>
public class RegistryKeyringTests
{
    [Theory]
    // Docker Hub, by all the names that docker ever wrote
    [InlineData("https://index.docker.io/v1/", "docker.io/library/nginx", true)]
    [InlineData("index.docker.io/v1/", "docker.io/library/nginx", true)]
    [InlineData("https://index.docker.io/v2/", "docker.io/team/app", true)]
    [InlineData("index.docker.io", "docker.io/team/app", true)]
    [InlineData("docker.io", "docker.io/library/nginx", true)]
    [InlineData("https://registry-1.docker.io", "docker.io/library/nginx", true)]
    [InlineData("docker.io/team", "docker.io/team/app", true)]
    [InlineData("docker.io/team", "docker.io/library/nginx", false)]
    [InlineData("https://index.docker.io/v1/", "quay.io/team/app", false)]
    // Host, scheme, port
    [InlineData("quay.io", "quay.io/team/app", true)]
    [InlineData("https://quay.io", "quay.io/team/app", true)]
    [InlineData("http://quay.io/", "quay.io/team/app", true)]
    [InlineData("https://quay.io/v1/", "quay.io/team/app", true)]
    [InlineData("https://quay.io/v2/", "quay.io/team/app", true)]
    [InlineData("https://quay.io/v2/team/", "quay.io/team/app", true)]
    [InlineData("https://user@quay.io", "quay.io/team/app", true)]
    [InlineData("quay.io:443", "quay.io/team/app", false)]
    [InlineData("quay.io", "quay.io:443/team/app", false)]
    [InlineData("registry.test:*", "registry.test:5000/app", false)]
    [InlineData("QUAY.io", "quay.io/team/app", true)]
    [InlineData("quay.io", "evil-quay.io/team/app", false)]
    [InlineData("quay.io", "quay.io.evil.test/team/app", false)]
    [InlineData("uay.io", "quay.io/team/app", false)]
    [InlineData("registry.test:5000", "registry.test:5000/app", true)]
    [InlineData("https://registry.test:5000/v2/", "registry.test:5000/app", true)]
    [InlineData("registry.test", "registry.test:5000/app", false)]
    [InlineData("registry.test:5000", "registry.test/app", false)]
    [InlineData("registry.test:5000", "registry.test:5001/app", false)]
    [InlineData("localhost:5000", "localhost:5000/app", true)]
    [InlineData("127.0.0.1:5000", "127.0.0.1:5000/app", true)]
    [InlineData("[::1]:5000", "[::1]:5000/app", true)]
    [InlineData("[::1]:5000", "[::2]:5000/app", false)]
    // Paths
    [InlineData("quay.io/team", "quay.io/team/app", true)]
    [InlineData("quay.io/team/", "quay.io/team/app", true)]
    [InlineData("quay.io/team/app", "quay.io/team/app", true)]
    [InlineData("quay.io/other", "quay.io/team/app", false)]
    [InlineData("quay.io/team/app/deep", "quay.io/team/app", false)]
    [InlineData("quay.io/team", "quay.io/teammate/app", true)] // a prefix of characters, not of parts: the kubelet's rule
    [InlineData("quay.io/team/", "quay.io/teammate/app", false)]
    [InlineData("quay.io/te*", "quay.io/team/app", false)]
    [InlineData("quay.io/Team", "quay.io/team/app", false)]
    [InlineData("quay.io/v2", "quay.io/team/app", false)]
    [InlineData("quay.io/v2", "quay.io/v2/app", true)]
    [InlineData("quay.io/x@evil.test", "evil.test/app", false)]
    [InlineData("quay.io/v2/team", "quay.io/team/app", true)]
    // Globs stay within one label of the host
    [InlineData("*.registry.test", "eu.registry.test/app", true)]
    [InlineData("*.registry.test", "registry.test/app", false)]
    [InlineData("*.registry.test", "a.eu.registry.test/app", false)]
    [InlineData("*.*.registry.test", "a.eu.registry.test/app", true)]
    [InlineData("*.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.eu-west-1.amazonaws.com/app", true)]
    [InlineData("*.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.eu-west-1.amazonaws.com.evil.test/app", false)]
    [InlineData("pre-*.registry.test", "pre-prod.registry.test/app", true)]
    [InlineData("pre-*.registry.test", "prod.registry.test/app", false)]
    [InlineData("*-prod.registry.test:5000", "eu-prod.registry.test:5000/app", true)]
    [InlineData("eu-?.registry.test", "eu-1.registry.test/app", true)]
    [InlineData("eu-?.registry.test", "eu-12.registry.test/app", false)]
    [InlineData("eu-[12].registry.test", "eu-2.registry.test/app", true)]
    [InlineData("eu-[12].registry.test", "eu-3.registry.test/app", false)]
    [InlineData("eu-[a-c]x.registry.test:5000", "eu-bx.registry.test:5000/app", true)]
    [InlineData("eu-[^a-c].registry.test", "eu-b.registry.test/app", false)]
    [InlineData("eu-[^a-c].registry.test", "eu-d.registry.test/app", true)]
    [InlineData("*[0-9].registry.test", "eu-17.registry.test/app", true)]
    [InlineData("eu-[12.registry.test", "eu-1.registry.test/app", false)]
    [InlineData("eu-[].registry.test", "eu-1.registry.test/app", false)]
    [InlineData("*k8s.io", "k8s.io/app", true)]
    [InlineData("*k8s.io", "staging-k8s.io/app", true)]
    [InlineData("*k8s.io", "registry.k8s.io/app", false)]
    [InlineData("k8s.*", "k8s.gcr/app", true)]
    [InlineData("k8s.*.io", "k8s.eu.io/app", true)]
    [InlineData("*", "localhost/app", true)]
    [InlineData("*", "quay.io/app", false)]
    [InlineData("*.io/team", "quay.io/team/app", true)]
    [InlineData("*.io/team", "quay.io/other/app", false)]
    public void A_location_matches_an_image_or_not(string location, string image, bool matches)
    {
        var credential = new RegistryCredential { Username = "u", Password = "p" };
        var found = RegistryKeyring.Lookup(image, [new LocatedCredential(RegistryKeyring.Normalize(location), credential)]);
        Assert.Equal(matches, found.Count == 1);
    }

    [Fact]
    public void All_that_match_are_tried_most_specific_first_each_once()
    {
        LocatedCredential[] credentials = [Named("", "any"), Named("*.io", "glob"), Named("quay.io", "host"), Named("quay.io/team/app", "path"), Named("quay.io/team", "team"), Named("quay.io", "host")];
        Assert.Equal(["path", "team", "host", "glob", "any"], RegistryKeyring.Lookup("quay.io/team/app", credentials).Select(credential => credential.Username));
    }

    [Fact]
    public void A_label_of_stars_is_matched_in_no_time()
    {
        var pattern = string.Concat(Enumerable.Repeat("*a", 100)) + "b.test";
        Assert.Empty(RegistryKeyring.Lookup(new string('a', 200) + ".test/app", [Named(pattern, "x")]));
    }

    [Fact]
    public void A_credential_does_not_tell_itself() =>
        Assert.Equal("a credential", new RegistryCredential { Username = "u", Password = "hunter2" }.ToString());

    private static LocatedCredential Named(string location, string name) => new(location, new RegistryCredential { Username = name });
}
