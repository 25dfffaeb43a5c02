using System.Text.Json;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>One row for each rule of contract 1.4, and the objects that must stay valid.</summary>
public class ValidationTests
{
    public static readonly TheoryData<string, string> WrongJobs = new()
    {
        { """{}""", "spec.image: the image is empty" },
        { """{"image":""}""", "spec.image: the image is empty" },
        { """{"image":"NGINX"}""", Validation.ImageReference },
        { """{"image":"nginx","selector":{},"podSelector":{"a":"b"}}""", Validation.OneSelector },
        { """{"image":"nginx","selector":{"names":["a"],"matchLabels":{"b":"c"}}}""", Validation.NamesOrLabels },
        { """{"image":"nginx","selector":{"names":["a"],"matchExpressions":[{"key":"b","operator":"Exists"}]}}""", Validation.NamesOrLabels },
        { """{"image":"nginx","selector":{"names":["a","b","a"]}}""", "spec.selector.names: \"a\" is there twice" },
        { """{"image":"nginx","selector":{"names":[""]}}""", "spec.selector.names: a name is empty" },
        { """{"image":"nginx","selector":{"names":[null]}}""", "spec.selector.names: a name is empty" },
        { """{"image":"nginx","selector":{"matchLabels":{"a b":"c"}}}""", "spec.selector: \"a b\" is not a label key" },
        { """{"image":"nginx","selector":{"matchExpressions":[{"key":"a","operator":"In"}]}}""", Validation.OperatorValues },
        { """{"image":"nginx","selector":{"matchExpressions":[{"key":"a","operator":"Exists","values":["b"]}]}}""", Validation.OperatorValues },
        { """{"image":"nginx","selector":{"matchExpressions":[{"key":"a","operator":"Has"}]}}""", "is none of In, NotIn, Exists, DoesNotExist" },
        { """{"image":"nginx","selector":{"matchExpressions":[null]}}""", "is none of In, NotIn, Exists, DoesNotExist" },
        { """{"image":"nginx","podSelector":{"matchExpressions":[{"key":"a","operator":"NotIn","values":[]}]}}""", Validation.OperatorValues },
        { """{"image":"nginx","podSelector":{"a":7}}""", "spec.podSelector: label \"a\" must have a string" },
        { """{"image":"nginx","parallelism":-1}""", Validation.Parallelism },
        { """{"image":"nginx","parallelism":"0%"}""", Validation.Parallelism },
        { """{"image":"nginx","parallelism":"101%"}""", Validation.Parallelism },
        { """{"image":"nginx","parallelism":"some"}""", Validation.Parallelism },
        { """{"image":"nginx","parallelism":"-5%"}""", Validation.Parallelism },
        { """{"image":"nginx","parallelism":1.5}""", Validation.Parallelism },
        { """{"image":"nginx","completionPolicy":{"type":"Sometimes"}}""", "\"Sometimes\" is neither Always nor Never" },
        { """{"image":"nginx","completionPolicy":{"type":"Never","activeDeadlineSeconds":1200}}""", Validation.NeverEnds },
        { """{"image":"nginx","completionPolicy":{"type":"Never","ttlSecondsAfterFinished":0}}""", Validation.NeverEnds },
        { """{"image":"nginx","completionPolicy":{"activeDeadlineSeconds":0}}""", "activeDeadlineSeconds: must be greater than 0" },
        { """{"image":"nginx","completionPolicy":{"ttlSecondsAfterFinished":-1}}""", "ttlSecondsAfterFinished: must not be negative" },
        { """{"image":"nginx","completionPolicy":{"activeDeadlineSeconds":599}}""", Validation.DeadlineHoldsOnePull },
        { """{"image":"nginx","completionPolicy":{"activeDeadlineSeconds":10},"pullPolicy":{"timeoutSeconds":11}}""", Validation.DeadlineHoldsOnePull },
        { """{"image":"nginx","pullPolicy":{"timeoutSeconds":0}}""", "spec.pullPolicy.timeoutSeconds: must be greater than 0" },
        { """{"image":"nginx","pullPolicy":{"backoffLimit":-1}}""", "spec.pullPolicy.backoffLimit: must not be negative" },
        { """{"image":"nginx","imagePullPolicy":"Never"}""", "spec.imagePullPolicy: \"Never\" is neither IfNotPresent nor Always" },
        { """{"image":"nginx","pullSecrets":["team/registry"]}""", "spec.pullSecrets: \"team/registry\": " + Validation.PullSecretName },
        { """{"image":"nginx","pullSecrets":["fine","..","also-fine"]}""", Validation.PullSecretName },
        { """{"image":"nginx","pullSecrets":["Registry"]}""", Validation.PullSecretName },
        { """{"image":"nginx","pullSecrets":[""]}""", Validation.PullSecretName },
        { """{"image":"nginx","pullSecrets":[null]}""", Validation.PullSecretName },
        { """{"image":"nginx\u001b[31m\n"}""", "\"nginx\\u001b[31m\\u000a\"" },
    };

    public static readonly TheoryData<string, string> WrongNodeImages = new()
    {
        { """{"images":{"ubuntu":{"tags":[{"pullPolicy":{"ttlSecondsAfterFinished":1}}]}}}""", "the tag is empty" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"","pullPolicy":{"ttlSecondsAfterFinished":1}}]}}}""", "the tag is empty" },
        { """{"images":{"ubuntu":{"tags":[null]}}}""", "the tag is empty" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a"},{"tag":"a"}]}}}""", "spec.images[ubuntu].tags: \"a\" is there twice" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a"}]}}}""", "spec.images[ubuntu].tags[a]: " + Validation.TtlWithoutOwner },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","ownerReferences":[],"pullPolicy":{}}]}}}""", Validation.TtlWithoutOwner },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","version":-1,"ownerReferences":[{}]}]}}}""", "spec.images[ubuntu].tags[a].version" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","pullPolicy":{"ttlSecondsAfterFinished":-1}}]}}}""", "must not be negative" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","pullPolicy":{"ttlSecondsAfterFinished":1,"timeoutSeconds":0}}]}}}""", "greater than 0" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","pullPolicy":{"ttlSecondsAfterFinished":1,"activeDeadlineSeconds":0}}]}}}""", "greater than 0" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","pullPolicy":{"ttlSecondsAfterFinished":1,"backoffLimit":-1}}]}}}""", "must not be negative" },
        { """{"images":{"ubuntu":{"tags":[{"tag":"a","imagePullPolicy":"x","ownerReferences":[{}]}]}}}""", "neither IfNotPresent nor Always" },
    };

    [Theory]
    [MemberData(nameof(WrongJobs))]
    public void A_wrong_job_is_told_which_rule_it_breaks(string spec, string message) =>
        Assert.Contains(message, Validation.ImagePullJob(Job(spec)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"image":"nginx"}""")]
    [InlineData("""{"image":"nginx","selector":{},"parallelism":0}""")]
    [InlineData("""{"image":"nginx","selector":{"names":[],"matchLabels":{"a":"b"}},"parallelism":"100%"}""")]
    [InlineData("""{"image":"nginx","podSelector":{"pod-label":"xxx"},"parallelism":"7"}""")]
    [InlineData("""{"image":"nginx","completionPolicy":{"type":"Never"},"imagePullPolicy":"Always"}""")]
    [InlineData("""{"image":"nginx","completionPolicy":{"activeDeadlineSeconds":600,"ttlSecondsAfterFinished":0},"unknown":{"kept":true}}""")]
    [InlineData("""
        {"image":"nginx:1.9.1","parallelism":10,"selector":{"names":["node-1","node-2"]},"pullSecrets":["secret-name1"],
         "completionPolicy":{"type":"Always","activeDeadlineSeconds":1200,"ttlSecondsAfterFinished":300},
         "pullPolicy":{"backoffLimit":3,"timeoutSeconds":300}}
        """)]
    public void A_job_as_in_the_manual_is_valid(string spec) => Assert.Null(Validation.ImagePullJob(Job(spec)));

    [Theory]
    [InlineData("""{}""", "name at least one image")]
    [InlineData("""{"images":[]}""", "name at least one image")]
    [InlineData("""{"images":["a","b","a"]}""", "spec.images: \"a\" is there twice")]
    [InlineData("""{"images":["a","B"]}""", "spec.images[1]: " + Validation.ImageReference)]
    [InlineData("""{"images":["a",null]}""", "spec.images[1]: the image is empty")]
    [InlineData("""{"images":["a"],"parallelism":-1}""", Validation.Parallelism)]
    public void A_wrong_list_is_told_which_rule_it_breaks(string spec, string message) =>
        Assert.Contains(message, Validation.ImageListPullJob(List(spec)), StringComparison.Ordinal);

    [Fact]
    public void A_list_holds_at_most_256_images()
    {
        Assert.Null(Validation.ImageListPullJob(new() { Images = [.. Enumerable.Range(0, 256).Select(i => $"image-{i}")] }));
        Assert.Contains("at most 256", Validation.ImageListPullJob(new() { Images = [.. Enumerable.Range(0, 257).Select(i => $"image-{i}")] }), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(WrongNodeImages))]
    public void A_wrong_entry_is_told_which_rule_it_breaks(string spec, string message) =>
        Assert.Contains(message, Validation.NodeImage(Node(spec)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"images":{}}""")]
    [InlineData("""{"images":{"ubuntu":{"tags":[]}}}""")]
    [InlineData("""{"images":{"ubuntu":null}}""")]
    [InlineData("""{"images":{"ubuntu":{"tags":[{"tag":"latest","pullPolicy":{"ttlSecondsAfterFinished":300}}]}}}""")]
    [InlineData("""{"images":{"ubuntu":{"tags":[{"tag":"latest","ownerReferences":[{"uid":"u"}]},{"tag":"20.04","ownerReferences":[{"uid":"u"}]}]}}}""")]
    public void An_entry_as_in_the_manual_is_valid(string spec) => Assert.Null(Validation.NodeImage(Node(spec)));

    [Fact]
    public void A_NodeImage_holds_at_most_256_images()
    {
        static NodeImageSpec With(int count) => new() { Images = Enumerable.Range(0, count).ToDictionary(i => $"image-{i}", _ => new ImageSpec { Tags = [] }) };
        Assert.Null(Validation.NodeImage(With(256)));
        Assert.Contains("at most 256", Validation.NodeImage(With(257)), StringComparison.Ordinal);
    }

    private static ImagePullJobSpec Job(string spec) => JsonSerializer.Deserialize(spec, CrdJson.Default.ImagePullJobSpec)!;

    private static ImageListPullJobSpec List(string spec) => JsonSerializer.Deserialize(spec, CrdJson.Default.ImageListPullJobSpec)!;

    private static NodeImageSpec Node(string spec) => JsonSerializer.Deserialize(spec, CrdJson.Default.NodeImageSpec)!;
}
