using CsCheck;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

public class ImageReferenceTests
{
    private const string Hex = "7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";
    private const string Sha256 = "sha256:" + Hex;
    private const string Sha512 = "sha512:" + Hex + Hex;

    /// <summary>Text, familiar name, canonical name, tag or digest: what people, charts and registries really write.</summary>
    public static readonly TheoryData<string, string, string, string> Valid = new()
    {
        // Docker Hub, official and not.
        { "nginx", "nginx", "docker.io/library/nginx", "latest" },
        { "nginx:1.9.1", "nginx", "docker.io/library/nginx", "1.9.1" },
        { "nginx:1.27.2-alpine3.20-slim", "nginx", "docker.io/library/nginx", "1.27.2-alpine3.20-slim" },
        { "ubuntu:latest", "ubuntu", "docker.io/library/ubuntu", "latest" },
        { "library/redis:7", "redis", "docker.io/library/redis", "7" },
        { "docker.io/nginx", "nginx", "docker.io/library/nginx", "latest" },
        { "docker.io/library/nginx:1.9.1", "nginx", "docker.io/library/nginx", "1.9.1" },
        { "index.docker.io/library/nginx", "nginx", "docker.io/library/nginx", "latest" },
        { "index.docker.io/bitnami/redis:7.2", "bitnami/redis", "docker.io/bitnami/redis", "7.2" },
        { "openkruise/kruise-manager:v1.8.0", "openkruise/kruise-manager", "docker.io/openkruise/kruise-manager", "v1.8.0" },
        { "grafana/grafana-oss:11.3.0-ubuntu", "grafana/grafana-oss", "docker.io/grafana/grafana-oss", "11.3.0-ubuntu" },
        { "rancher/mirrored-pause:3.6", "rancher/mirrored-pause", "docker.io/rancher/mirrored-pause", "3.6" },
        { "docker.io/calico/node:v3.28.1", "calico/node", "docker.io/calico/node", "v3.28.1" },
        { "library/team/app", "library/team/app", "docker.io/library/team/app", "latest" },
        { "alpine@" + Sha256, "alpine", "docker.io/library/alpine", Sha256 },
        { "alpine:3.20@" + Sha256, "alpine", "docker.io/library/alpine", Sha256 },
        { "busybox@" + Sha512, "busybox", "docker.io/library/busybox", Sha512 },
        { "busybox@sha384:" + Hex + "00112233445566778899aabbccddeeff", "busybox", "docker.io/library/busybox", "sha384:" + Hex + "00112233445566778899aabbccddeeff" },
        { "a", "a", "docker.io/library/a", "latest" },
        { "0", "0", "docker.io/library/0", "latest" },
        { "hello-world", "hello-world", "docker.io/library/hello-world", "latest" },
        { "foo--bar", "foo--bar", "docker.io/library/foo--bar", "latest" },
        { "foo---bar/baz", "foo---bar/baz", "docker.io/foo---bar/baz", "latest" },
        { "a_b/c__d", "a_b/c__d", "docker.io/a_b/c__d", "latest" },
        { "team/my.app", "team/my.app", "docker.io/team/my.app", "latest" },
        { "aa/bb/cc/dd:t", "aa/bb/cc/dd", "docker.io/aa/bb/cc/dd", "t" },
        { "docker.io", "docker.io", "docker.io/library/docker.io", "latest" },
        { "localhost", "localhost", "docker.io/library/localhost", "latest" },
        { "example.com:5000", "example.com", "docker.io/library/example.com", "5000" },
        // Tags at their edges.
        { "app:_", "app", "docker.io/library/app", "_" },
        { "app:A.b-C_9", "app", "docker.io/library/app", "A.b-C_9" },
        { "app:" + new string('t', 128), "app", "docker.io/library/app", new string('t', 128) },
        { "app:20261125.1-g0c0da54", "app", "docker.io/library/app", "20261125.1-g0c0da54" },
        // Other registries.
        { "quay.io/prometheus/node-exporter:v1.8.2", "quay.io/prometheus/node-exporter", "quay.io/prometheus/node-exporter", "v1.8.2" },
        { "quay.io/foo/bar", "quay.io/foo/bar", "quay.io/foo/bar", "latest" },
        { "registry.k8s.io/pause:3.10", "registry.k8s.io/pause", "registry.k8s.io/pause", "3.10" },
        { "registry.k8s.io/ingress-nginx/controller:v1.11.3@" + Sha256, "registry.k8s.io/ingress-nginx/controller", "registry.k8s.io/ingress-nginx/controller", Sha256 },
        { "k8s.gcr.io/kube-proxy-amd64:v1.12.6", "k8s.gcr.io/kube-proxy-amd64", "k8s.gcr.io/kube-proxy-amd64", "v1.12.6" },
        { "gcr.io/distroless/static-debian12:nonroot", "gcr.io/distroless/static-debian12", "gcr.io/distroless/static-debian12", "nonroot" },
        { "ghcr.io/fluxcd/source-controller:v1.4.1", "ghcr.io/fluxcd/source-controller", "ghcr.io/fluxcd/source-controller", "v1.4.1" },
        { "mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled", "mcr.microsoft.com/dotnet/runtime-deps", "mcr.microsoft.com/dotnet/runtime-deps", "10.0-noble-chiseled" },
        { "public.ecr.aws/eks-distro/coredns/coredns:v1.11.3", "public.ecr.aws/eks-distro/coredns/coredns", "public.ecr.aws/eks-distro/coredns/coredns", "v1.11.3" },
        { "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:2026", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web", "2026" },
        { "europe-west3-docker.pkg.dev/proj-1/repo/app@" + Sha256, "europe-west3-docker.pkg.dev/proj-1/repo/app", "europe-west3-docker.pkg.dev/proj-1/repo/app", Sha256 },
        { "contoso.azurecr.io/team/api:1.0", "contoso.azurecr.io/team/api", "contoso.azurecr.io/team/api", "1.0" },
        { "registry.cn-hangzhou.aliyuncs.com/acs/kube-eventer:v1.2", "registry.cn-hangzhou.aliyuncs.com/acs/kube-eventer", "registry.cn-hangzhou.aliyuncs.com/acs/kube-eventer", "v1.2" },
        { "nvcr.io/nvidia/k8s/dcgm-exporter:3.3.8-3.6.0-ubuntu22.04", "nvcr.io/nvidia/k8s/dcgm-exporter", "nvcr.io/nvidia/k8s/dcgm-exporter", "3.3.8-3.6.0-ubuntu22.04" },
        { "docker.elastic.co/elasticsearch/elasticsearch:8.15.3", "docker.elastic.co/elasticsearch/elasticsearch", "docker.elastic.co/elasticsearch/elasticsearch", "8.15.3" },
        { "registry.gitlab.com/gitlab-org/charts/runner/helper:x86_64-v17", "registry.gitlab.com/gitlab-org/charts/runner/helper", "registry.gitlab.com/gitlab-org/charts/runner/helper", "x86_64-v17" },
        { "registry-1.docker.io/library/nginx", "registry-1.docker.io/library/nginx", "registry-1.docker.io/library/nginx", "latest" },
        // Ports, addresses, hosts without a dot.
        { "localhost/app", "localhost/app", "localhost/app", "latest" },
        { "localhost:5000/x", "localhost:5000/x", "localhost:5000/x", "latest" },
        { "localhost:5000/x:y", "localhost:5000/x", "localhost:5000/x", "y" },
        { "127.0.0.1:5000/team/app:1", "127.0.0.1:5000/team/app", "127.0.0.1:5000/team/app", "1" },
        { "registry:5000/app@" + Sha256, "registry:5000/app", "registry:5000/app", Sha256 },
        { "10.0.0.7/app", "10.0.0.7/app", "10.0.0.7/app", "latest" },
        { "[::1]:5000/app:1", "[::1]:5000/app", "[::1]:5000/app", "1" },
        { "[fd00:1:2::3]/team/app", "[fd00:1:2::3]/team/app", "[fd00:1:2::3]/team/app", "latest" },
        { "REGISTRY/app", "REGISTRY/app", "REGISTRY/app", "latest" },
        { "Registry.Example.com/app", "Registry.Example.com/app", "Registry.Example.com/app", "latest" },
        { "xn--n3h.com/myimage", "xn--n3h.com/myimage", "xn--n3h.com/myimage", "latest" },
        // Where Docker's short form would name something else, we keep the long one.
        { "docker.io/foo.bar/baz:1", "docker.io/foo.bar/baz", "docker.io/foo.bar/baz", "1" },
        { "docker.io/localhost/baz", "docker.io/localhost/baz", "docker.io/localhost/baz", "latest" },
        { "docker.io/" + Hex, "docker.io/library/" + Hex, "docker.io/library/" + Hex, "latest" },
        { Hex + ":1", "docker.io/library/" + Hex, "docker.io/library/" + Hex, "1" },
        { "docker.io/" + new string('a', 237), new string('a', 237), "docker.io/library/" + new string('a', 237), "latest" },
    };

    /// <summary>Text, and a part of the sentence that says why not.</summary>
    public static readonly TheoryData<string?, string> Invalid = new()
    {
        { null, "empty" },
        { "", "empty" },
        { Hex, "64-character" },
        { "NGINX", "lower case" },
        { "docker/Docker", "lower case" },
        { "docker.io/docker/Docker", "lower case" },
        { "localhost:5000/App", "lower case" },
        { "nginx:", "tag after the colon is empty" },
        { "nginx:.1", "a tag begins" },
        { "nginx:-1", "a tag begins" },
        { "nginx:a b", "a tag holds" },
        { "nginx:1+2", "a tag holds" },
        { "nginx:" + new string('t', 129), "at most 128" },
        { "nginx:1:2", "a tag holds" },
        { "nginx@", "digest must begin" },
        { "nginx@sha256", "digest must begin" },
        { "nginx@md5:d41d8cd98f00b204e9800998ecf8427e", "digest must begin" },
        { "nginx@sha256:", "64 lower-case" },
        { "nginx@sha256:abc", "64 lower-case" },
        { "nginx@sha256:" + Hex + "0", "64 lower-case" },
        { "nginx@sha256:" + "7CC4B5AEFD1D0CADF8D97D4350462BA51C694EBCA145B08D7D41B41ACC8DB5AA", "64 lower-case" },
        { "nginx@sha512:" + Hex, "128 lower-case" },
        { "nginx@" + Sha256 + "@" + Sha256, "64 lower-case" },
        { "nginx@" + Sha256 + ":tag", "64 lower-case" },
        { ":1.0", "name of the image is missing" },
        { "@" + Sha256, "name of the image is missing" },
        { "/nginx", "empty part" },
        { "nginx/", "empty part" },
        { "quay.io/", "name of the image is missing" },
        { "docker///docker", "empty part" },
        { "https://quay.io/foo/bar", "leave out" },
        { "-docker/docker", "each part" },
        { "docker-/docker", "each part" },
        { "foo..bar", "each part" },
        { "a___b", "each part" },
        { "a._b", "each part" },
        { "_a", "each part" },
        { "a.", "each part" },
        { "nginx ", "a name holds" },
        { " nginx", "a name holds" },
        { "ngi\nnx", "a name holds" },
        { "nginx:1\n", "a tag holds" },
        { "nginx;rm -rf", "a name holds" },
        { "é", "a name holds" },
        { "nginx:é", "a tag holds" },
        { "-example.com/app", "not a host name" },
        { "example-.com/app", "not a host name" },
        { "exa_mple.com/app", "not a host name" },
        { "example..com/app", "not a host name" },
        { "example.com:port/app", "port is not a number" },
        { "example.com:/app", "port is not a number" },
        { "[::1/app", "not a host name" },
        { "[::g]/app", "not IPv6" },
        { "[]:5000/app", "not IPv6" },
        { "docker.io/" + new string('a', 238), "at most 255" },
        { "example.com/" + new string('a', 244), "at most 255" },
        { new string('a', 521), "at most 520" },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void What_people_write_is_read_as_Docker_reads_it(string text, string familiarName, string canonicalName, string tagOrDigest)
    {
        Assert.True(ImageReference.TryParse(text, out var reference, out var error), error);
        Assert.Equal("", error);
        Assert.Equal(familiarName, reference.FamiliarName);
        Assert.Equal(canonicalName, reference.CanonicalName);
        Assert.Equal(canonicalName, $"{reference.Registry}/{reference.Repository}");
        Assert.Equal(tagOrDigest, reference.TagOrDigest);
        Assert.Null(ImageReference.TagOrDigestError(tagOrDigest));
        AssertRoundTrips(reference);
    }

    [Theory]
    [MemberData(nameof(Invalid))]
    public void What_no_runtime_could_pull_is_refused_with_a_reason(string? text, string reason)
    {
        Assert.False(ImageReference.TryParse(text, out var reference, out var error));
        Assert.Null(reference);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Tag_and_digest_are_both_known_and_the_digest_is_what_is_pulled()
    {
        Assert.True(ImageReference.TryParse("alpine:3.20@" + Sha256, out var reference, out _));
        Assert.Equal("3.20", reference.Tag);
        Assert.Equal(Sha256, reference.Digest);
        Assert.Equal("alpine@" + Sha256, reference.ToString());
    }

    [Fact]
    public void The_runtime_gets_a_colon_before_a_tag_and_an_at_before_a_digest()
    {
        Assert.Equal("nginx:1.9.1", ImageReference.ForRuntime("nginx", "1.9.1"));
        Assert.Equal("localhost:5000/x@" + Sha256, ImageReference.ForRuntime("localhost:5000/x", Sha256));
    }

    [Fact]
    public void No_text_makes_it_throw() => Gen.String.Sample(text =>
    {
        if (ImageReference.TryParse(text, out var reference, out var error)) AssertRoundTrips(reference);
        else Assert.NotEmpty(error);
        _ = ImageReference.TagOrDigestError(text);
    });

    [Fact]
    public void Nearly_valid_text_makes_it_neither_throw_nor_lose_anything() => GenNearReference.Sample(text =>
    {
        if (ImageReference.TryParse(text, out var reference, out _)) AssertRoundTrips(reference);
    }, iter: 5_000);

    /// <summary>Made of the pieces that the grammar is made of, in any order, so that about one in three is valid.</summary>
    internal static readonly Gen<string> GenNearReference = Gen.OneOf(
        "a", "nginx", "0", "foo.bar", "x-y", "a__b", "localhost", "docker.io", "index.docker.io", "quay.io", "library", "Up", "[::1]", Hex,
        "/", "/", "/", ":", ":", "@", ".", "_", "-", "5000", "1.9.1", "latest", Sha256, "@" + Sha256, ":1").Array[1, 7].Select(string.Concat);

    private static void AssertRoundTrips(ImageReference reference)
    {
        foreach (var name in (string[])[reference.FamiliarName, reference.CanonicalName])
        {
            var text = ImageReference.ForRuntime(name, reference.TagOrDigest);
            Assert.True(ImageReference.TryParse(text, out var again, out var error), $"{text}: {error}");
            Assert.Equal(reference.FamiliarName, again.FamiliarName);
            Assert.Equal(reference.CanonicalName, again.CanonicalName);
            Assert.Equal(reference.TagOrDigest, again.TagOrDigest);
        }
    }
}
