using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class FollowerTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    /// <summary>Time passes by being waited for: a delay is over at once, and the clock has moved on by it.</summary>
    private sealed class ElasticClock : TimeProvider
    {
        private DateTimeOffset _now = Samples.Start;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Pass(TimeSpan time) => _now += time;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pass(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Goes to the next moment of the script each time it is waited for; stays at the last. No job or list: deleted.</summary>
    private sealed class ScriptedFeed(ElasticClock clock, params IKubeObject?[][] script) : IFollowFeed
    {
        private int _at;

        public ScriptedFeed(ElasticClock clock, params ImagePullJob?[] script)
            : this(clock, [.. script.Select(job => new IKubeObject?[] { job })])
        {
        }

        public bool IsSynced => true;

        public bool IsConnected { get; set; } = true;

        private IEnumerable<IKubeObject?> Moment => script[Math.Min(_at, script.Length - 1)];

        public ImagePullJob? Job(string? @namespace, string name) => Moment.OfType<ImagePullJob>().FirstOrDefault(job => job.Metadata.Name == name);

        public ImageListPullJob? List(string? @namespace, string name) => Moment.OfType<ImageListPullJob>().FirstOrDefault(list => list.Metadata.Name == name);

        public IEnumerable<ImagePullJob> JobsOf(ImageListPullJob list) =>
            Moment.OfType<ImagePullJob>().Where(job => job.Metadata.OwnerReferences?.Exists(owner => owner.Uid == list.Metadata.Uid) ?? false);

        public IReadOnlyCollection<PullEntry> Entries(string uid) => [];

        public Task Changed(TimeSpan atMost, CancellationToken cancellationToken)
        {
            _at++;
            clock.Pass(atMost);
            cancellationToken.ThrowIfCancellationRequested();
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => default;
    }

    private static async Task<(int ExitCode, string Text, string Notes)> Follow(TimeSpan? timeout, params ImagePullJob?[] script)
    {
        using var page = new Page();
        var clock = new ElasticClock();
        var exitCode = await new Follower(new ScriptedFeed(clock, script), new LinesView(page.Terminal), clock).Follow([Samples.Job()], timeout, None);
        return (exitCode, page.Text, page.Notes);
    }

    private static async Task<(int ExitCode, string Text)> FollowList(TimeSpan? timeout, params IKubeObject?[][] script)
    {
        using var page = new Page();
        var clock = new ElasticClock();
        var exitCode = await new Follower(new ScriptedFeed(clock, script), new LinesView(page.Terminal), clock).Follow([Samples.List()], timeout, None);
        return (exitCode, page.Text);
    }

    [Fact]
    public async Task A_list_is_followed_through_its_jobs()
    {
        var done = Samples.OfList("nginx:1.9.1", Samples.Complete(3));
        var (exitCode, text) = await FollowList(null,
            [Samples.List()],
            [Samples.List(), Samples.OfList("nginx:1.9.1", Samples.Counts(3, 0, 0, 0))],
            [Samples.List(), done, Samples.OfList("redis:7.2", Samples.Counts(1, 1, 0, 1))],
            [Samples.List(), done, Samples.OfList("redis:7.2", Samples.Complete(3))]);
        Assert.Equal(ExitCode.Done, exitCode);
        Golden.Check("lines-list", text);
    }

    [Fact]
    public async Task Of_a_list_one_image_that_failed_is_exit_1_and_told_with_its_job()
    {
        var (exitCode, text) = await FollowList(null,
            [Samples.List(), Samples.OfList("nginx:1.9.1", Samples.Complete(3)), Samples.OfList("redis:7.2", Samples.Failed(2, Samples.NotFound(1)))]);
        Assert.Equal(ExitCode.Failed, exitCode);
        Golden.Check("lines-list-failed", text);
    }

    [Fact]
    public async Task A_list_that_goes_after_its_end_has_ended_and_one_that_goes_before_was_deleted()
    {
        IKubeObject?[] both = [Samples.List(), Samples.OfList("nginx:1.9.1", Samples.Complete(3)), Samples.OfList("redis:7.2", Samples.Counts(1, 1, 0, 1))];
        var (exitCode, text) = await FollowList(null, both, []);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("1 of 2 images are on all their nodes", text, StringComparison.Ordinal);
        Assert.Contains("was deleted before it ended: 1 of 3 nodes have redis:7.2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invalid_list_ends_it_with_its_sentence_once()
    {
        var invalid = Samples.List() with { Status = new() { ObservedGeneration = 1, Conditions = [new() { Type = JobCondition.Invalid, Status = "True", Message = "a rule is broken" }] } };
        var (exitCode, text) = await FollowList(null, [invalid]);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal(2, text.Split("a rule is broken").Length);
    }

    [Fact]
    public async Task Waiting_for_a_list_ends_at_the_timeout_and_says_how_to_go_on()
    {
        var (exitCode, text) = await FollowList(TimeSpan.FromSeconds(10), [Samples.List(), Samples.OfList("nginx:1.9.1", Samples.Complete(3))]);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("the rest goes on", text, StringComparison.Ordinal);
        Assert.Contains("follow them: kruise-image ctl wait list/nginx-1-9-1-and-1-more-x7k2p -n default", text, StringComparison.Ordinal);
    }

    private static ImagePullJob Running => Samples.Job(Samples.Counts(1, 0, 0, 2));

    [Fact]
    public async Task All_nodes_succeeded_is_exit_0()
    {
        var (exitCode, text, notes) = await Follow(null, Samples.Job(), Running, Samples.Job(Samples.Complete(3)));
        Assert.Equal(ExitCode.Done, exitCode);
        Assert.EndsWith("nginx:1.9.1 is on all 3 nodes of default/nginx-1-9-1-x7k2p (12s)", text.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal("", notes);
    }

    [Fact]
    public async Task One_failed_node_is_exit_1() =>
        Assert.Equal(ExitCode.Failed, (await Follow(null, Running, Samples.Job(Samples.Failed(2, Samples.NotFound(1))))).ExitCode);

    [Fact]
    public async Task A_job_that_matches_no_node_is_exit_1() => Assert.Equal(ExitCode.Failed, (await Follow(null, Samples.Job(Samples.Complete(0)))).ExitCode);

    [Fact]
    public async Task A_status_from_before_the_last_edit_does_not_end_it()
    {
        var old = Samples.Job(new() { ObservedGeneration = 1, Conditions = [new() { Type = JobCondition.Invalid, Status = "True", Message = "a rule is broken" }] });
        var edited = old with { Metadata = old.Metadata with { Generation = 2 } };
        var answered = edited with { Status = Samples.Complete(3) with { ObservedGeneration = 2 } };
        Assert.Equal(ExitCode.Done, (await Follow(null, edited, answered)).ExitCode);
    }

    /// <summary>Pausing a list edits its finished jobs too: no controller looks at those any more.</summary>
    [Fact]
    public async Task A_job_that_was_edited_after_its_end_has_ended()
    {
        var done = Samples.Job(Samples.Complete(3));
        Assert.Equal(ExitCode.Done, (await Follow(TimeSpan.FromMinutes(1), done with { Metadata = done.Metadata with { Generation = 3 } })).ExitCode);
    }

    [Fact]
    public async Task A_deleted_job_ends_it()
    {
        var (exitCode, text, _) = await Follow(null, Running, null);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("was deleted before it ended", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_job_of_the_same_name_is_not_ours()
    {
        var other = Samples.Job(Samples.Complete(3)) with { Metadata = new() { Name = "nginx-1-9-1-x7k2p", Namespace = "default", Uid = "another" } };
        Assert.Contains("was deleted", (await Follow(null, Running, other)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_ends_at_the_timeout_and_says_that_the_job_goes_on()
    {
        var (exitCode, text, _) = await Follow(TimeSpan.FromMinutes(1), Running);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("is not done after 60s", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_of_the_controller_is_pointed_out_once()
    {
        var (_, _, notes) = await Follow(TimeSpan.FromMinutes(1), Samples.Job());
        Assert.Equal("no controller has answered yet: is it running? See: kubectl get pods -n kruise-image-system", notes.Trim());
    }

    [Fact]
    public async Task A_daily_job_is_followed_until_each_node_had_its_turn()
    {
        static ImagePullJob Daily(ImagePullJobStatus status) => Samples.Job(status) with { Spec = new() { Image = "nginx:1.9.1", CompletionPolicy = new() { Type = "Never" } } };
        Assert.Equal(ExitCode.Done, (await Follow(null, Daily(Samples.Counts(1, 1, 0, 0)), Daily(Samples.Counts(0, 2, 0, 0)))).ExitCode);
    }

    [Fact]
    public async Task Ctrl_C_leaves_the_job_and_says_how_to_find_it()
    {
        using var page = new Page();
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(None);
        var clock = new ElasticClock();
        await interrupt.CancelAsync();
        var exitCode = await new Follower(new ScriptedFeed(clock, Running), new LinesView(page.Terminal), clock).Follow([Samples.Job()], null, interrupt.Token);
        Assert.Equal(ExitCode.Interrupted, exitCode);
        Assert.Contains("follow it: kruise-image ctl wait nginx-1-9-1-x7k2p -n default", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_away_is_pointed_out()
    {
        using var page = new Page();
        var clock = new ElasticClock();
        var feed = new ScriptedFeed(clock, Running) { IsConnected = false };
        await new Follower(feed, new LinesView(page.Terminal), clock).Follow([Samples.Job()], TimeSpan.FromSeconds(10), None);
        Assert.Contains("the API server does not answer", page.Notes, StringComparison.Ordinal);
    }
}
