using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>What runtimes say, word for word, and what it means (docs: the table of PullImage answers).</summary>
public class PullFailureTests
{
    private const string Reference = "docker.io/library/app:1";
    private const string Containerd = """failed to pull and unpack image "docker.io/library/app:1": """;
    private const string Resolve = Containerd + """failed to resolve reference "docker.io/library/app:1": """;

    /// <summary>(gRPC code, message, reason).</summary>
    public static readonly TheoryData<int, string, string> Said = new()
    {
        // containerd 1.6, 1.7, 2.1
        { RpcCode.Unknown, Resolve + "unexpected status from HEAD request to http://127.0.0.1:5001/v2/app/manifests/1: 401 Unauthorized", PullReason.Auth },
        { RpcCode.Unknown, Resolve + "pulling from host 127.0.0.1:5001 failed with status code [manifests 1]: 401 Unauthorized", PullReason.Auth },
        { RpcCode.Unknown, Resolve + "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials", PullReason.Auth },
        { RpcCode.Unknown, Resolve + "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", PullReason.Auth },
        { RpcCode.Unknown, Resolve + "failed to authorize: failed to fetch anonymous token: unexpected status: 403 Forbidden", PullReason.Auth },
        { RpcCode.NotFound, Resolve + "docker.io/library/app:1: not found", PullReason.NotFound },
        { RpcCode.NotFound, Containerd + "no match for platform in manifest: not found", PullReason.NoMatchingPlatform },
        { RpcCode.NotFound, "rpc error: code = NotFound desc = " + Containerd + "no match for platform in manifest sha256:aa: not found", PullReason.NoMatchingPlatform },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "http://127.0.0.1:1/v2/app/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "https://no.such/v2/app/manifests/1": dial tcp: lookup no.such: no such host""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "https://no.such/v2/app/manifests/1": dial tcp: lookup no.such on 10.0.0.1:53: server misbehaving""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "https://10.9.9.9/v2/app/manifests/1": dial tcp 10.9.9.9:443: connect: network is unreachable""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "https://10.9.9.9/v2/app/manifests/1": dial tcp 10.9.9.9:443: connect: no route to host""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "https://10.9.9.9/v2/app/manifests/1": dial tcp 10.9.9.9:443: i/o timeout""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + """failed to do request: Head "https://localhost:5443/v2/app/manifests/1": x509: certificate signed by unknown authority""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + "unexpected status from HEAD request to http://127.0.0.1:5000/v2/app/manifests/1: 502 Bad Gateway", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + "unexpected status from HEAD request to http://127.0.0.1:5000/v2/app/manifests/1: 503 Service Unavailable", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Resolve + "unexpected status from HEAD request to http://127.0.0.1:5000/v2/app/manifests/1: 429 Too Many Requests", PullReason.RateLimited },
        { RpcCode.Unknown, Containerd + "failed to copy: httpReadSeeker: failed open: unexpected status code https://r/v2/app/blobs/sha256:aa: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.", PullReason.RateLimited },
        { RpcCode.Unknown, """failed to parse image reference "UPPER:1": invalid reference format: repository name must be lowercase""", PullReason.InvalidReference },
        { RpcCode.NotFound, Containerd + "failed to copy: httpReadSeeker: failed open: could not fetch content descriptor sha256:aa (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found", PullReason.RegistryUnavailable },
        { RpcCode.FailedPrecondition, Containerd + """failed commit on ref "layer-sha256:aa": unexpected commit digest sha256:bb, expected sha256:aa: failed precondition""", PullReason.Unknown },
        { RpcCode.Unknown, Containerd + """failed to extract layer sha256:aa: write /var/lib/containerd/x: no space left on device: unknown""", PullReason.InsufficientDisk },
        { RpcCode.Unknown, Containerd + """failed to copy: read tcp 127.0.0.1:4->127.0.0.1:5: read: connection reset by peer""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, Containerd + "failed to copy: unexpected EOF", PullReason.RegistryUnavailable },
        { RpcCode.Cancelled, Containerd + """failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://r/v2/app/blobs/sha256:aa": context canceled""", PullReason.Timeout },
        { RpcCode.Unavailable, "error reading from server: EOF", PullReason.RuntimeUnavailable },
        { RpcCode.Unavailable, "Socket closed", PullReason.RuntimeUnavailable },
        { RpcCode.Unimplemented, "unknown service runtime.v1.ImageService", PullReason.RuntimeUnavailable },
        // CRI-O
        { RpcCode.Unknown, "reading manifest 1 in docker.io/library/app: manifest unknown: manifest unknown", PullReason.NotFound },
        { RpcCode.Unknown, "reading manifest 1 in quay.io/x/app: unauthorized: access to the requested resource is not authorized", PullReason.Auth },
        { RpcCode.Unknown, "reading manifest 1 in docker.io/x/app: errors: denied: requested access to the resource is denied; unauthorized: authentication required", PullReason.Auth },
        { RpcCode.Unknown, """initializing source docker://r:5000/app:1: pinging container registry r:5000: Get "https://r:5000/v2/": dial tcp: lookup r: no such host""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, """initializing source docker://r:5000/app:1: pinging container registry r:5000: Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client""", PullReason.RegistryUnavailable },
        { RpcCode.Unknown, """choosing an image from manifest list docker://app:1: no image found in image index for architecture "arm64", variant "v8", OS linux""", PullReason.NoMatchingPlatform },
        { RpcCode.Unknown, "reading manifest 1 in docker.io/library/app: toomanyrequests: You have reached your pull rate limit.", PullReason.RateLimited },
        { RpcCode.Unknown, "writing blob: storing blob to file: no space left on device", PullReason.InsufficientDisk },
        { RpcCode.Unknown, "RegistryUnavailable: pull image", PullReason.RegistryUnavailable },
        // cri-dockerd
        { RpcCode.Unknown, "Error response from daemon: manifest for app:1 not found: manifest unknown: manifest unknown", PullReason.NotFound },
        { RpcCode.Unknown, "Error response from daemon: pull access denied for app, repository does not exist or may require 'docker login'", PullReason.Auth },
        { RpcCode.Unknown, "no matching manifest for linux/s390x in the manifest list entries", PullReason.NoMatchingPlatform },
        { RpcCode.Unknown, "not found", PullReason.NotFound },
        // Only the code tells
        { RpcCode.NotFound, "what", PullReason.NotFound },
        { RpcCode.Unauthenticated, "who", PullReason.Auth },
        { RpcCode.ResourceExhausted, "enough", PullReason.RateLimited },
        { RpcCode.DeadlineExceeded, "late", PullReason.Timeout },
        { RpcCode.Unknown, "something else", PullReason.Unknown },
        { RpcCode.Unknown, "", PullReason.Unknown },
    };

    [Theory]
    [MemberData(nameof(Said))]
    public void Words_have_their_reason(int code, string message, string reason) => Assert.Equal(reason, PullFailure.Classify(code, message, Reference).Reason);

    [Theory]
    [InlineData("docker.io/library/denied:x509", PullReason.NotFound)]
    [InlineData("docker.io/unauthorized:no", PullReason.NotFound)]
    public void The_name_of_an_image_says_nothing(string reference, string reason) =>
        Assert.Equal(reason, PullFailure.Classify(RpcCode.NotFound, $"failed to resolve reference \"{reference}\": {reference}: not found", reference).Reason);

    [Fact]
    public void A_message_begins_with_what_matters() => Assert.Equal(
        "the registry does not have it: docker.io/library/app:1: not found",
        PullFailure.Classify(RpcCode.NotFound, "rpc error: code = NotFound desc = " + Resolve + "docker.io/library/app:1: not found", Reference).Message);

    [Theory]
    [InlineData("Get \"https://user:s3cret@r/v2/\": EOF")]
    [InlineData("failed to do request: Head \"https://r/v2/app?token=s3cret&x=1\": EOF")]
    [InlineData("redirect to https://cdn/blob?X-Amz-Signature=s3cret failed")]
    [InlineData("Authorization: Bearer s3cretabcdef was refused")]
    [InlineData("Authorization: Basic dXNlcjpzM2NyZXQs3cret= was refused")]
    public void No_credential_comes_through(string message) =>
        Assert.DoesNotContain("s3cret", PullFailure.Classify(RpcCode.Unknown, message, Reference).Message, StringComparison.Ordinal);

    [Fact]
    public void A_credential_that_was_tried_is_cut_out_wherever_it_is()
    {
        var failure = PullFailure.Classify(RpcCode.Unknown, "the registry said: hunter2 is wrong", Reference).Without(new RegistryCredential { Password = "hunter2" });
        Assert.Equal("the registry said: … is wrong", failure.Message);
    }

    /// <summary>Cut out afterwards, its beginning would stay where the message is cut.</summary>
    [Fact]
    public void No_part_of_a_credential_stays_where_the_message_is_cut()
    {
        var failure = PullFailure.Classify(RpcCode.Unknown, new string('x', PullFailure.MaxMessageLength - 5) + "hunter2-hunter2", Reference, new RegistryCredential { Password = "hunter2-hunter2" });
        Assert.Equal(new string('x', PullFailure.MaxMessageLength - 5) + "…", failure.Message);
    }

    /// <summary>A registry's words reach logs, events, statuses and terminals.</summary>
    [Fact]
    public void A_registry_steers_no_terminal_and_forges_no_line() => Assert.Equal(
        """\u001b[2J all is well \u202egnp.exe""", PullFailure.Classify(RpcCode.Unknown, "\u001b[2J all\nis well \u202egnp.exe", Reference).Message);

    [Theory]
    [InlineData("429 Too Many Requests, Retry-After: 17", 17)]
    [InlineData("toomanyrequests: retry-after: 120", 120)]
    [InlineData("429 Too Many Requests Retry-After=999999", 3600)]
    [InlineData("429 Too Many Requests", 60)]
    public void The_registry_is_left_alone_as_long_as_it_asks(string message, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), PullFailure.Classify(RpcCode.Unknown, message, Reference).RetryAfter);

    [Fact]
    public void Any_text_is_classified_within_the_bounds() => Gen.Select(Gen.Int[0, 20], Gen.String).Sample((code, message) =>
    {
        var failure = PullFailure.Classify(code, message, Reference);
        Assert.NotEmpty(failure.Reason);
        Assert.True(failure.Message.Length <= PullFailure.MaxMessageLength + 100);
    });
}
