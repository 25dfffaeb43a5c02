using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Acting;
using KruiseImage.Reconcile.ImageListPullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>pause, resume, cancel, delete and retry against the simulated API server, which has the schema, generations and conflicts.</summary>
public sealed class ActTests : IDisposable
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private readonly FakeClock _clock = new();
    private readonly SimApiServer _server;
    private readonly Cluster _cluster;
    private readonly JobWriter _writer;

    public ActTests()
    {
        _server = new SimApiServer(_clock);
        _cluster = new Cluster(new SimKubeClient(_server.As("ctl")), "default");
        _writer = new JobWriter(_cluster, new ImpatientClock());
    }

    public void Dispose() => _cluster.Dispose();

    /// <summary>Waiting is over at once, and long enough.</summary>
    private sealed class ImpatientClock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds += 6;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private ImagePullJob Create(ImagePullJobSpec spec, string name = "nginx", ImagePullJobStatus? status = null)
    {
        var session = _server.As("person");
        var job = session.Create(Resources.ImagePullJobs, new ImagePullJob { ApiVersion = Defaults.ApiVersion, Kind = "ImagePullJob", Metadata = new() { Namespace = "default", Name = name }, Spec = spec }).Value!;
        return status is null ? job : WithStatus(job, status);
    }

    private ImagePullJob WithStatus(ImagePullJob job, ImagePullJobStatus status)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new ImagePullJob { Status = status }, CrdJson.Default.ImagePullJob);
        using var document = JsonDocument.Parse(body);
        var patch = $$"""{"status":{{document.RootElement.GetProperty("status").GetRawText()}}}""";
        return _server.As("controller").Patch(Resources.ImagePullJobs, "default", job.Metadata.Name!, new(PatchKind.Merge, System.Text.Encoding.UTF8.GetBytes(patch), "status")).Value!;
    }

    /// <summary>With the jobs that the controller makes, of which the first has ended.</summary>
    private ImageListPullJob CreateList(IntOrPercent? parallelism, params string[] images)
    {
        var list = _server.As("person").Create(Resources.ImageListPullJobs, new ImageListPullJob
        {
            ApiVersion = Defaults.ApiVersion,
            Kind = "ImageListPullJob",
            Metadata = new() { Namespace = "default", Name = "release" },
            Spec = new() { Images = [.. images], Parallelism = parallelism },
        }).Value!;
        var template = new ChildTemplate(list);
        foreach (var (index, image) in images.Index())
        {
            var job = _server.As("controller").Create(Resources.ImagePullJobs, template.Make(image, _ => false)).Value!;
            WithStatus(job, index == 0 ? Samples.Complete(3) : Samples.Counts(1, 1, 0, 1));
        }
        return list;
    }

    private ImagePullJob Job(string name = "nginx") => _server.Find(Resources.ImagePullJobs, "default", name)!;

    private ImageListPullJob List() => _server.Find(Resources.ImageListPullJobs, "default", "release")!;

    private IReadOnlyList<ImagePullJob> Jobs => [.. _server.Objects(Resources.ImagePullJobs)];

    private static async Task<string> Said(Func<IKubeObject, CancellationToken, Task<ActResult>> act, IKubeObject target)
    {
        var result = await act(target, None);
        return $"{(result.IsDone ? "" : "error: ")}{result.Sentence}";
    }

    private Task<ActResult> Resume(IKubeObject target, IntOrPercent? wanted = null) => new PauseVerb(_writer).Resume(target, wanted, None);

    [Theory]
    [InlineData("10")]
    [InlineData("25%")]
    [InlineData(null)]
    public async Task A_resumed_job_is_what_it_was_before_the_pause(string? parallelism)
    {
        IntOrPercent? value = parallelism is null ? null : int.TryParse(parallelism, out var count) ? count : new IntOrPercent(0, parallelism);
        var job = Create(new() { Image = "nginx:1.9.1", Parallelism = value }, status: Samples.Counts(1, 0, 0, 2));
        var before = Job().Spec;

        await Said(new PauseVerb(_writer).Pause, job);
        Assert.Equal(0, Job().Spec.Parallelism!.Value.Of(10));
        await Resume(job);
        Assert.Equal(before, Job().Spec);
        Assert.Null(MergePatch.AnnotationOf(await _writer.Read(job, None), Pausing.Annotation));
    }

    [Fact]
    public async Task Each_pause_and_resume_says_what_it_did()
    {
        var pause = new PauseVerb(_writer);
        var job = Create(new() { Image = "nginx:1.9.1", Parallelism = 10 }, status: Samples.Counts(1, 0, 0, 2));
        var created = Create(new() { Image = "nginx:1.9.1", Parallelism = 0 }, "created-paused");
        var over = Create(new() { Image = "nginx:1.9.1" }, "over", Samples.Complete(3));
        string[] said =
        [
            await Said(pause.Pause, job), await Said(pause.Pause, job), (await Resume(job)).Sentence, (await Resume(job)).Sentence,
            await Said(pause.Pause, job), (await Resume(job, new IntOrPercent(0, "50%"))).Sentence,
            await Said(pause.Pause, created), (await Resume(created)).Sentence,
            await Said(pause.Pause, over), (await Resume(over)).Sentence,
        ];
        Golden.Check("act-pause", string.Join('\n', said) + "\n");
    }

    /// <summary>Whatever the controller looks at first, it makes no job of the list anew: that would stop pulls and forget what was reached.</summary>
    [Theory]
    [InlineData(10, null)]
    [InlineData(10, 2)]
    [InlineData(null, 7)]
    [InlineData(0, 5)]
    public async Task A_list_keeps_its_jobs_through_pause_and_resume_at_every_moment(int? parallelism, int? resumed)
    {
        var list = CreateList(parallelism is { } value ? (IntOrPercent)value : null, "nginx:1.9.1", "redis:7.2");
        var uids = Jobs.Select(job => job.Metadata.Uid).ToList();
        var moments = 0;
        _server.Written += _ =>
        {
            moments++;
            var template = new ChildTemplate(List());
            Assert.All(Jobs, job => Assert.True(template.IsOf(job), $"moment {moments}: {job.Metadata.Name} would be made anew"));
        };

        if (parallelism != 0)
        {
            Assert.StartsWith("list default/release paused", await Said(new PauseVerb(_writer).Pause, list), StringComparison.Ordinal);
            Assert.All(Jobs, job => Assert.Equal(0, job.Spec.Parallelism!.Value.Of(10)));
            Assert.Equal(0, List().Spec.Parallelism!.Value.Of(10));
        }
        Assert.True((await Resume(list, resumed is { } wanted ? (IntOrPercent)wanted : null)).IsDone);
        Assert.True(moments >= 3);
        Assert.Equal(uids, Jobs.Select(job => job.Metadata.Uid));
        Assert.All(Jobs, job => Assert.Equal(resumed ?? parallelism ?? 1, job.Spec.Parallelism!.Value.Of(10)));
        Assert.Equal(resumed ?? parallelism ?? 1, List().Spec.Parallelism!.Value.Of(10));
    }

    [Fact]
    public async Task A_write_of_somebody_else_is_not_lost()
    {
        var job = Create(new() { Image = "nginx:1.9.1", Parallelism = 10 });
        var reads = 0;
        await _writer.Patch(job, now =>
        {
            // The first time somebody is faster.
            if (reads++ == 0) _server.As("other").Patch(Resources.ImagePullJobs, "default", "nginx", new(PatchKind.Merge, """{"spec":{"parallelism":20}}"""u8.ToArray()));
            return Pausing.Pause(now);
        }, None);
        Assert.Equal(2, reads);
        Assert.Equal("20", Pausing.Before(await _writer.Read(job, None)));
    }

    [Fact]
    public async Task Another_job_of_the_same_name_is_left_alone()
    {
        var job = Create(new() { Image = "nginx:1.9.1", Parallelism = 10 });
        await new DeleteVerb(_writer).Run(job, None);
        Create(new() { Image = "nginx:1.9.1", Parallelism = 10 });
        foreach (var act in (Func<Task>[])[() => new PauseVerb(_writer).Pause(job, None), () => new DeleteVerb(_writer).Run(job, None)])
            Assert.Equal("default/nginx was deleted meanwhile", (await Assert.ThrowsAsync<CommandException>(act)).Message);
        Assert.Equal(10, Job().Spec.Parallelism);
    }

    [Fact]
    public async Task A_cancelled_job_has_a_deadline_that_is_over_and_keeps_its_ttl()
    {
        var job = Create(new() { Image = "nginx:1.9.1", PullPolicy = new() { TimeoutSeconds = 900, BackoffLimit = 1 }, CompletionPolicy = new() { Type = "Always", TtlSecondsAfterFinished = 60 } },
            status: Samples.Counts(1, 1, 0, 1));
        Assert.Equal("job default/nginx cancelled: it ends when a controller looks at it", await Said(new CancelVerb(_writer).Run, job));
        var spec = Job().Spec;
        Assert.Null(Validation.ImagePullJob(spec));
        Assert.Equal(new CompletionPolicy { Type = "Always", ActiveDeadlineSeconds = 1, TtlSecondsAfterFinished = 60 }, spec.CompletionPolicy);
        Assert.Equal(new PullPolicy { TimeoutSeconds = 1, BackoffLimit = 1 }, spec.PullPolicy);
    }

    [Fact]
    public async Task Each_cancel_and_delete_says_what_it_did()
    {
        var (cancel, delete) = (new CancelVerb(_writer), new DeleteVerb(_writer));
        var running = Create(new() { Image = "nginx:1.9.1" }, status: Samples.Counts(2, 1, 0, 1));
        var daily = Create(new() { Image = "nginx:1.9.1", CompletionPolicy = new() { Type = "Never" } }, "daily", Samples.Counts(0, 3, 0, 0));
        var over = Create(new() { Image = "nginx:1.9.1" }, "over", Samples.Complete(3));
        var invalid = Create(new() { Image = "nginx:1.9.1" }, "invalid", new() { ObservedGeneration = 1, Conditions = [new() { Type = JobCondition.Invalid, Status = "True" }] });
        var list = CreateList(10, "nginx:1.9.1", "redis:7.2");
        _server.Written += write =>
        {
            // The controller, that ends what is cancelled.
            if (write is { Actor: "ctl", Verb: "patch", Key: "default/nginx" }) WithStatus(Job(), Samples.Failed(1, Samples.NotFound(2)));
        };
        string[] said =
        [
            await Said(cancel.Run, running), await Said(cancel.Run, daily), await Said(cancel.Run, over), await Said(cancel.Run, invalid),
            await Said(cancel.Run, list), await Said(delete.Run, Create(new() { Image = "nginx:1.9.1" }, "busy", Samples.Counts(2, 1, 0, 1))),
            await Said(delete.Run, over), await Said(delete.Run, Jobs.First(job => job.Metadata.OwnerReferences is not null)), await Said(delete.Run, list),
        ];
        Golden.Check("act-end", string.Join('\n', said) + "\n");
        Assert.All(Jobs.Where(job => job.Spec.Image == "redis:7.2"), job => Assert.Equal(1, job.Spec.CompletionPolicy!.ActiveDeadlineSeconds));
        Assert.Equal("Always", Job("daily").Spec.CompletionPolicy!.Type);
    }

    [Fact]
    public async Task A_list_without_end_or_without_jobs_is_not_cancelled_but_explained()
    {
        var list = CreateList(1, "nginx:1.9.1", "redis:7.2");
        var young = list with { Spec = list.Spec with { Images = ["nginx:1.9.1", "redis:7.2", "postgres:17"] } };
        var daily = list with { Spec = list.Spec with { CompletionPolicy = new() { Type = "Never" } } };
        Assert.Equal("error: list default/release has jobs for 2 of its 3 images only, the controller is not done: try again, or delete it", await Said(new CancelVerb(_writer).Run, young));
        Assert.Equal("error: list default/release has no end (completion policy Never): take it away with: kruise-image ctl delete list/release -n default", await Said(new CancelVerb(_writer).Run, daily));
        Assert.DoesNotContain(Jobs, job => job.Spec.CompletionPolicy?.ActiveDeadlineSeconds is not null);
    }

    [Fact]
    public async Task All_means_lists_and_the_jobs_that_are_no_lists_and_one_that_fails_does_not_hold_up_the_rest()
    {
        Create(new() { Image = "nginx:1.9.1" });
        Create(new() { Image = "nginx:1.9.1" }, "other");
        CreateList(1, "nginx:1.9.1", "redis:7.2");
        using var page = new Page();
        var seen = new List<string>();
        var exitCode = await new ActVerb(_cluster, page.Terminal, OutputFormat.Name).All(target => target.Metadata.Name != "other", (target, _) =>
        {
            seen.Add(JobWords.NameOf(target));
            return target is ImagePullJob ? throw CommandException.Failed("no") : Task.FromResult(new ActResult(true, "yes"));
        }, None);
        Assert.Equal(["nginx", "list/release"], seen);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal("imagelistpulljob.apps.kruise.io/release", page.Text.Trim());
        Assert.Equal("error: no", page.Notes.Trim());
    }

    private async Task<(List<Modes.Ctl.Images.PullDraft> Drafts, string Notes)> Retry(IKubeObject target, IntOrPercent? parallelism, params string[] nodes)
    {
        using var page = new Page();
        var drafts = await new RetryVerb(_cluster, page.Terminal, _clock).Drafts(target, nodes, parallelism, None);
        return (drafts, page.Notes);
    }

    [Fact]
    public async Task A_retry_is_a_job_for_the_failed_nodes_with_all_that_the_first_one_had()
    {
        var spec = new ImagePullJobSpec
        {
            Image = "nginx:1.9.1",
            Parallelism = 10,
            PullSecrets = ["registry"],
            ImagePullPolicy = "Always",
            Selector = new() { MatchLabels = new() { ["pool"] = "web" } },
            SandboxConfig = new() { Labels = new() { ["a"] = "b" } },
            PullPolicy = new() { TimeoutSeconds = 900 },
            CompletionPolicy = new() { Type = "Always", TtlSecondsAfterFinished = 60 },
        };
        var job = Create(spec, status: Samples.Failed(1, Samples.NotFound(2)) with { FailedNodes = ["node-7", "node-8"] });
        var draft = Assert.Single((await Retry(job, null)).Drafts);
        Assert.Equal(["node-7", "node-8"], draft.Template.Selector!.Names!);
        Assert.Equal("nginx-retry-", draft.Metadata.GenerateName);
        Assert.Null(draft.Metadata.OwnerReferences);
        Assert.Null(draft.Error);
        var again = draft.Job!.Spec;
        Assert.Equal(("nginx:1.9.1", 10, "registry", "Always", 900, 60), (again.Image, again.Parallelism, again.PullSecrets![0], again.ImagePullPolicy, again.PullPolicy!.TimeoutSeconds, again.CompletionPolicy!.TtlSecondsAfterFinished));
        Assert.Equal("b", again.SandboxConfig!.Labels!["a"]);
        Assert.Equal(2, Assert.Single((await Retry(job, 2)).Drafts).Template.Parallelism);
        Assert.Equal(["node-8"], Assert.Single((await Retry(job, null, "node-8")).Drafts).Template.Selector!.Names!);
    }

    [Fact]
    public async Task A_retry_of_a_cancelled_job_has_the_policies_from_before()
    {
        var job = Create(new() { Image = "nginx:1.9.1", PullPolicy = new() { TimeoutSeconds = 900 }, CompletionPolicy = new() { Type = "Never" } }, status: Samples.Counts(2, 1, 0, 0));
        await new CancelVerb(_writer).Run(job, None);
        job = WithStatus(Job(), Samples.Failed(1, Samples.NotFound(2)) with { FailedNodes = ["node-7", "node-8"] });
        var draft = Assert.Single((await Retry(job, null)).Drafts);
        Assert.Equal(900, draft.Template.PullPolicy!.TimeoutSeconds);
        Assert.Null(draft.Template.CompletionPolicy);
    }

    [Fact]
    public async Task Nodes_that_the_status_has_no_room_for_are_found_in_their_NodeImages()
    {
        var job = Create(new() { Image = "nginx:1.9.1" }, status: Samples.Failed(1, Samples.NotFound(12)) with { FailedNodes = null });
        NodeImage Node(string name) => Samples.Node(name, Samples.Failure(3, PullReason.NotFound, "no")) with { Kind = "NodeImage", ApiVersion = Defaults.ApiVersion };
        foreach (var name in (string[])["node-17", "node-18"])
        {
            var node = Node(name);
            node.Spec!.Images!["nginx"].Tags![0] = node.Spec.Images["nginx"].Tags![0] with { OwnerReferences = [new() { Kind = "ImagePullJob", Uid = job.Metadata.Uid, Namespace = "default", Name = "nginx", ApiVersion = Defaults.ApiVersion }] };
            _server.As("controller").Create(Resources.NodeImages, node);
            using var document = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(node, CrdJson.Default.NodeImage));
            var status = $$"""{"status":{{document.RootElement.GetProperty("status").GetRawText()}}}""";
            _server.As("daemon").Patch(Resources.NodeImages, null, name, new(PatchKind.Merge, System.Text.Encoding.UTF8.GetBytes(status), "status"));
        }
        var (drafts, notes) = await Retry(job, null);
        Assert.Equal(12, Assert.Single(drafts).Template.Selector!.Names!.Count);
        Assert.Equal("", notes);
        WithStatus(job, job.Status! with { Failed = 14 });
        Assert.Equal("default/nginx: of 14 failed nodes 12 can be told by name, only these are retried", (await Retry(Job(), null)).Notes.Trim());
    }

    [Fact]
    public async Task What_has_not_failed_is_not_retried()
    {
        var fine = Create(new() { Image = "nginx:1.9.1" }, "fine", Samples.Complete(3));
        var (drafts, notes) = await Retry(fine, null);
        Assert.Empty(drafts);
        Assert.Equal("job default/fine: no node has failed, there is nothing to retry", notes.Trim());

        var failed = Create(new() { Image = "nginx:1.9.1" }, status: Samples.Failed(1, Samples.NotFound(2)) with { FailedNodes = ["node-7", "node-8"] });
        var wrong = await Assert.ThrowsAsync<CommandException>(() => Retry(failed, null, "node-7", "node-9"));
        Assert.Equal("node \"node-9\" has not failed for job default/nginx: did you mean \"node-7\"?", wrong.Message);
    }

    [Fact]
    public async Task Of_a_list_each_image_that_failed_somewhere_is_retried()
    {
        var list = CreateList(3, "nginx:1.9.1", "redis:7.2");
        WithStatus(Jobs.Single(job => job.Spec.Image == "redis:7.2"), Samples.Failed(1, Samples.NotFound(2)) with { FailedNodes = ["node-7", "node-8"] });
        var draft = Assert.Single((await Retry(list, null)).Drafts);
        Assert.Equal(["redis:7.2"], draft.Images);
        Assert.Equal(3, draft.Template.Parallelism);
    }
}
