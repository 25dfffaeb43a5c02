using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class DescribeGoldenTests
{
    private static readonly Event[] Events =
    [
        new()
        {
            Type = "Warning", Reason = "PullImageFailed", Message = "NotFound: docker.io/library/nginx:1.9.1: not found", Count = 3,
            LastTimestamp = Samples.After(31), Source = new() { Component = "kruise-image-daemon", Host = "node-7" },
        },
        new()
        {
            Type = "Normal", Reason = "PullImageSucceed", Message = "pulled nginx:1.9.1 in 4s", Count = 1,
            LastTimestamp = Samples.After(5), Source = new() { Component = "kruise-image-daemon", Host = "node-1" },
        },
    ];

    private static readonly NodeImage[] Nodes =
    [
        Samples.Node("node-1", Samples.Succeeded(4)),
        Samples.Node("node-2", Samples.Pulling(62)),
        Samples.Node("node-3", null),
        Samples.Node("node-4", Samples.Pulling(9, 1, false)),
        Samples.Node("node-5", Samples.Pulling(30) with { Reason = PullReason.RegistryUnavailable, Message = "the registry cannot be reached: connection refused", NextAttemptTime = Samples.After(72) }),
        Samples.Node("node-7", Samples.Failure(30, PullReason.NotFound, "docker.io/library/nginx:1.9.1: not found")),
    ];

    private static string Write(Description description, bool isScreen = false, int width = 80)
    {
        using var page = new Page(isScreen, width);
        page.Terminal.Write(description);
        return string.Join('\n', page.Text.ReplaceLineEndings("\n").Split('\n').Select(line => isScreen ? line.TrimEnd() : line));
    }

    private static Description FailedJob() => JobDescription.Of(
        Samples.Job(Samples.Failed(2, Samples.NotFound(1)) with { Digests = [new() { ImageID = Samples.Digest, Count = 2 }] }) with
        {
            Spec = new()
            {
                Image = "nginx:1.9.1",
                Selector = new() { MatchLabels = new() { ["pool"] = "web" }, MatchExpressions = [new() { Key = "zone", Operator = "In", Values = ["a", "b"] }] },
                Parallelism = new IntOrPercent(0, "25%"),
                PullSecrets = ["registry"],
                CompletionPolicy = new() { ActiveDeadlineSeconds = 1200, TtlSecondsAfterFinished = 90 },
                PullPolicy = new() { TimeoutSeconds = 300, BackoffLimit = 0 },
            },
        },
        Nodes, Events, Samples.After(60));

    [Fact]
    public void A_failed_job_in_a_file() => Golden.Check("describe-job-failed", Write(FailedJob()));

    [Fact]
    public void A_failed_job_on_a_narrow_screen() => Golden.Check("describe-job-failed-screen-80", Write(FailedJob(), true));

    private static Description List()
    {
        var owners = new List<OwnerReference> { new() { Kind = "ImageListPullJob", Name = "web", Uid = "list-uid" } };
        var list = new ImageListPullJob
        {
            Metadata = new() { Namespace = "default", Name = "web", Uid = "list-uid", Generation = 1, CreationTimestamp = Samples.Start },
            Spec = new() { Images = ["nginx:1.9.1", "typo:1", "redis:7"], Parallelism = 5, Selector = new() { MatchLabels = new() { ["pool"] = "web" } } },
            Status = new()
            {
                StartTime = Samples.Start,
                Desired = 3,
                Active = 1,
                Completed = 2,
                Succeeded = 1,
                ObservedGeneration = 1,
                FailedImageStatuses = [new() { ImagePullJob = "web-2", Name = "typo:1", Message = "2 of 2 nodes failed, NotFound: docker.io/library/typo:1: not found" }],
            },
        };
        var (done, failed, foreign) = (Samples.Job(Samples.Complete(2), "web-1"), Samples.Job(Samples.Failed(0, Samples.NotFound(2)), "web-2"), Samples.Job(Samples.Complete(1), "other"));
        ImagePullJob[] jobs =
        [
            done with { Metadata = done.Metadata with { OwnerReferences = owners } },
            failed with { Metadata = failed.Metadata with { OwnerReferences = owners }, Spec = new() { Image = "typo:1" } },
            foreign,
        ];
        return ListDescription.Of(list, jobs, [], Samples.After(60));
    }

    [Theory]
    [InlineData(false, 80, "describe-list")]
    [InlineData(true, 80, "describe-list-screen-80")]
    [InlineData(true, 200, "describe-list-screen-200")]
    public void A_list(bool isScreen, int width, string golden) => Golden.Check(golden, Write(List(), isScreen, width));

    [Fact]
    public void A_job_that_nobody_has_seen() => Golden.Check("describe-job-unseen", Write(JobDescription.Of(Samples.Job(), [], [], Samples.After(3))));

    [Fact]
    public void A_node() => Golden.Check("describe-node", Write(NodeDescription.Of(Nodes[1], Events, Samples.After(60))));

    [Fact]
    public void A_node_with_nothing_to_do() =>
        Golden.Check("describe-node-idle", Write(NodeDescription.Of(new() { Metadata = new() { Name = "node-9", CreationTimestamp = Samples.Start } }, [], Samples.After(60))));

    [Fact]
    public void Another_jobs_entry_is_not_ours()
    {
        var other = Samples.Job() with { Metadata = new() { Name = "other", Namespace = "default", Uid = "another" } };
        Assert.DoesNotContain("node-1", Write(JobDescription.Of(other, Nodes, [], Samples.After(3))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("all", null, null)]
    [InlineData("node-1, node-2", "node-1,node-2", null)]
    [InlineData("those of pods with labels app=web in this namespace", null, "app=web")]
    public void The_nodes_of_a_job_in_words(string words, string? names, string? pods)
    {
        var spec = new ImagePullJobSpec
        {
            Selector = names is null ? null : new() { Names = [.. names.Split(',')] },
            PodSelector = pods is null ? null : new() { MatchLabels = new() { [pods.Split('=')[0]] = pods.Split('=')[1] } },
        };
        Assert.Equal(words, SpecWords.Nodes(spec));
    }
}
