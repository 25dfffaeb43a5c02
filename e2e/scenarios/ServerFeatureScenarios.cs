using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// What only newer API servers do: CEL rules of CRDs (1.25). On an older server each case is skipped, with the reason; the same rules
/// are then the controller's (BadInputScenarios, FailureScenarios).
/// </summary>
public sealed class ServerFeatureScenarios(SharedCluster shared) : Scenario(shared)
{
    private const int CelMinor = 25;

    /// <summary>Every CEL rule of every kind, with a spec that breaks it and no other. The messages are those of manifests/crds.</summary>
    public static readonly TheoryData<string, string, string> Rules = new()
    {
        { "imagepulljobs", """{"image":"Not An Image"}""", "not an image reference" },
        { "imagepulljobs", """{"image":"nginx","selector":{"names":["a"]},"podSelector":{"app":"web"}}""", "selector and podSelector exclude each other" },
        { "imagepulljobs", """{"image":"nginx","selector":{"names":["a"],"matchLabels":{"b":"c"}}}""", "selector.names excludes matchLabels" },
        { "imagepulljobs", """{"image":"nginx","selector":{"matchExpressions":[{"key":"a","operator":"In"}]}}""", "operators In and NotIn need values" },
        { "imagepulljobs", """{"image":"nginx","podSelector":{"matchExpressions":[{"key":"a","operator":"Exists","values":["b"]}]}}""", "operators In and NotIn need values" },
        { "imagepulljobs", """{"image":"nginx","parallelism":"0%"}""", "parallelism must be a number of nodes" },
        { "imagepulljobs", """{"image":"nginx","completionPolicy":{"type":"Never","ttlSecondsAfterFinished":1}}""", "need completion type Always" },
        { "imagepulljobs", """{"image":"nginx","completionPolicy":{"activeDeadlineSeconds":5}}""", "must be at least pullPolicy.timeoutSeconds" },
        { "imagepulljobs", """{"image":"nginx","pullSecrets":["a/b"]}""", "a pull secret is named as the Secret is" },
        { "imagelistpulljobs", """{"images":["nginx","Not An Image"]}""", "not an image reference" },
        { "imagelistpulljobs", """{"images":["nginx"],"selector":{"names":["a"]},"podSelector":{"app":"web"}}""", "selector and podSelector exclude each other" },
        { "imagelistpulljobs", """{"images":["nginx"],"parallelism":"many"}""", "parallelism must be a number of nodes" },
        { "imagelistpulljobs", """{"images":["nginx"],"completionPolicy":{"activeDeadlineSeconds":5}}""", "must be at least pullPolicy.timeoutSeconds" },
        { "imagelistpulljobs", """{"images":["nginx"],"pullSecrets":[".."]}""", "a pull secret is named as the Secret is" },
        { "nodeimages", """{"images":{"ubuntu":{"tags":[{"tag":"1"}]}}}""", "pullPolicy.ttlSecondsAfterFinished is required" },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task A_CEL_rule_refuses_with_its_own_message(string plural, string spec, string message)
    {
        await NeedsAsync(CelMinor, "CEL rules in CRDs");
        foreach (var version in (string[])["v1beta1", "v1alpha1"])
        {
            var ns = plural == "nodeimages" ? "" : "/namespaces/default";
            var kind = plural switch { "imagepulljobs" => "ImagePullJob", "imagelistpulljobs" => "ImageListPullJob", _ => "NodeImage" };
            var refused = await Assert.ThrowsAsync<HttpRequestException>(() => Api.CreateAsync($"/apis/apps.kruise.io/{version}{ns}/{plural}?dryRun=All",
                JsonNode.Parse($$$"""{"apiVersion":"apps.kruise.io/{{{version}}}","kind":"{{{kind}}}","metadata":{"name":"wrong"},"spec":{{{spec}}}}""")!, Cancellation));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The server estimates what rules cost and refuses a CRD that could cost too much; a server that took it has estimated.</summary>
    [Fact]
    public async Task The_CRDs_with_their_rules_are_taken()
    {
        await NeedsAsync(CelMinor, "CEL rules in CRDs");
        foreach (var plural in (string[])["imagepulljobs", "imagelistpulljobs", "nodeimages"])
        {
            var crd = (await Api.GetAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.apps.kruise.io", Cancellation))!;
            Assert.Contains("x-kubernetes-validations", crd.ToJsonString(new() { MaxDepth = 1000 }), StringComparison.Ordinal);
        }
    }

    private async Task NeedsAsync(int minor, string feature)
    {
        var version = (await Api.GetAsync("/version", Cancellation))!;
        var seen = int.Parse(version.Text("minor").TrimEnd('+'), CultureInfo.InvariantCulture);
        Assert.SkipWhen(seen < minor, $"{feature} need Kubernetes 1.{minor}; this server is 1.{seen}. KUBEBUILDER_ASSETS brings a newer one");
    }
}
