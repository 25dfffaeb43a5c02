using System.Text;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.OnNode;
using KruiseImage.Tests.Cri;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>"ctl node pull": the daemon's decisions, for the images of a command line.</summary>
public class NodePullTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    [Fact]
    public void Images_are_pulled_one_after_the_other_in_the_order_that_was_asked_for()
    {
        var script = new Script(1, "web:1", "app:1", "db:1");
        Assert.Equal(["web:1"], script.Asked);
        script.Absent("web:1");
        Assert.Equal(["web:1"], script.Pulling);
        Assert.Equal(["web:1"], script.Asked);
        script.Succeeds("web:1");
        Assert.Equal(["web:1", "app:1"], script.Asked);
        script.Absent("app:1").Fails("app:1", PullReason.NotFound).Absent("db:1").Succeeds("db:1");
        Assert.Equal([PullPhase.Succeeded, PullPhase.Failed, PullPhase.Succeeded], script.Moment.Pulls.Select(pull => pull.Status.Phase));
        Assert.True(script.Board.IsDone);
        Assert.True(script.Moment.HasFailed);
    }

    [Fact]
    public void As_many_at_one_time_as_were_asked_for()
    {
        var script = new Script(2, "a:1", "b:1", "c:1").Absent("a:1").Absent("b:1");
        Assert.Equal(["a:1", "b:1"], script.Pulling);
        Assert.Equal(["a:1", "b:1"], script.Asked);
        script.Succeeds("b:1").Absent("c:1");
        Assert.Equal(["a:1", "c:1"], script.Pulling);
    }

    [Fact]
    public void What_is_here_is_not_pulled_unless_always()
    {
        var script = new Script(1, "web:1").Present("web:1");
        Assert.Empty(script.Pulling);
        Assert.True(script.Moment.Pulls[0].WasPresent);
        Assert.True(script.Board.IsDone);

        var always = new Script(new NodePullRequest([Image("web:1")], true, 1, TimeSpan.FromMinutes(10), 3));
        Assert.Empty(always.Asked);
        Assert.Equal(["web:1"], always.Pulling);
    }

    [Fact]
    public void A_failure_is_repeated_and_what_arrived_is_kept_meanwhile()
    {
        var script = new Script(1, "web:1").Absent("web:1").Fails("web:1", PullReason.RegistryUnavailable);
        Assert.Empty(script.Released);
        script.Pass(3).Absent("web:1");
        Assert.Equal("attempt 2 of 3; before: it is RegistryUnavailable", script.Moment.Pulls[0].Status.Message);
        script.Fails("web:1", PullReason.RegistryUnavailable).Pass(5).Absent("web:1").Fails("web:1", PullReason.RegistryUnavailable);
        Assert.Equal(PullPhase.Failed, script.Moment.Pulls[0].Status.Phase);
        Assert.True(Assert.Single(script.Released).FreesBytes);
    }

    [Fact]
    public void It_is_done_only_when_the_lease_is_gone()
    {
        var script = new Script(1, "web:1") { ReleasesAtOnce = false }.Absent("web:1").Succeeds("web:1");
        Assert.False(script.Board.IsDone);
        script.Tell(new LeaseReleased("docker.io/library/web:1", true));
        Assert.True(script.Board.IsDone);
    }

    [Fact]
    public void An_attempt_that_takes_too_long_is_stopped_and_waited_for()
    {
        var script = new Script(new NodePullRequest([Image("web:1")], true, 1, TimeSpan.FromSeconds(5), 0)).Pass(5);
        Assert.Single(script.Cancelled);
        Assert.Equal(PullReason.Timeout, script.Moment.Pulls[0].Status.Reason);
        Assert.False(script.Board.IsDone);
        script.Ends("web:1", PullOutcome.Cancelled);
        Assert.True(script.Board.IsDone);
    }

    [Fact]
    public void Bytes_and_their_rate_are_shown()
    {
        var script = new Script(1, "web:1").Absent("web:1").Progress("web:1", 1_000_000, 9_000_000).Pass(2).Progress("web:1", 5_000_000, 9_000_000);
        var pull = script.Moment.Pulls[0];
        Assert.Equal((5_000_000, 9_000_000, 2_000_000d, 55), (pull.BytesDone, pull.BytesTotal, pull.BytesPerSecond, pull.Status.Progress));
        Assert.True(script.Progress("web:1", 9_000_000, 9_000_000).Moment.Pulls[0].IsUnpacking);
        Assert.Null(script.Succeeds("web:1").Moment.Pulls[0].BytesPerSecond);
    }

    /// <summary>Another pull by hand may be under one of the leases that are there.</summary>
    [Fact]
    public void No_lease_of_another_pull_is_deleted_when_the_runtime_comes_back()
    {
        var script = new Script(1, "web:1").Absent("web:1").Fails("web:1", PullReason.RuntimeUnavailable);
        script.Tell(new RuntimeAnswered(["docker.io/library/other:1"]));
        Assert.Empty(script.Released);
    }

    [Fact]
    public async Task Ctrl_C_stops_the_pull_and_says_what_is_kept()
    {
        using var page = new Page();
        using var interrupt = new CancellationTokenSource();
        var runtime = new HangingRuntime(interrupt);
        var verb = new NodePullVerb(runtime, new NodeCredentials([], new CredentialProviderSet([], TimeProvider.System, new CapturedLog<CredentialProviderSet>())), new NodePullLines(page.Terminal), TimeProvider.System);
        var request = new NodePullRequest([Image("web:1"), Image("app:1")], true, 1, TimeSpan.FromMinutes(10), 3);
        Assert.Equal(ExitCode.Interrupted, await verb.Run(request, interrupt.Token));
        Assert.True(runtime.WasStopped);
        Assert.Contains("web:1: stopped; what arrived is kept for an hour: the same command goes on from there", page.Text, StringComparison.Ordinal);
        Assert.Contains("app:1: not begun", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_are_those_of_docker_then_of_plugins_then_none()
    {
        using var folder = new PluginFolder();
        var providers = new CredentialProviderSet([folder.Provider(PluginFolder.Print("Registry", "plugin", "hunter"))], TimeProvider.System, new CapturedLog<CredentialProviderSet>());
        var read = DockerConfigFile.Parse("""{"auths":{"registry.test":{"auth":"ZG9ja2VyOnQwcA=="},"other.test":{"auth":"bm86bm8="}},"credsStore":"desktop"}"""u8.ToArray());
        var shown = new List<string>();
        await foreach (var credential in new NodeCredentials(read.Credentials, providers).For(Entry("registry.test/app:1"), _ => { }, None)) shown.Add($"{credential.Username}:{credential.Password}");
        Assert.Equal(["docker:t0p", "plugin:hunter", ":"], shown);
        Assert.Empty(read.Problems);
    }

    [Theory]
    [InlineData("not json", "it is not JSON")]
    [InlineData("{}", "it has no \"auths\"")]
    [InlineData("""{"auths":{"https://index.docker.io/v1/":{}},"credsStore":"desktop"}""", "the entry of docker.io is empty")]
    public void A_docker_configuration_that_gives_nothing_says_why(string text, string problem)
    {
        var read = DockerConfigFile.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Empty(read.Credentials);
        Assert.Equal(problem, Assert.Single(read.Problems));
    }

    internal static ImageReference Image(string text) => ImageReference.TryParse(text, out var image, out var error) ? image : throw new ArgumentException(error);

    private static PullEntry Entry(string image)
    {
        var reference = Image(image);
        return PullEntry.ReadAll(new() { Images = new() { [reference.FamiliarName] = new() { Tags = [new() { Tag = reference.TagOrDigest }] } } }).Single();
    }

    /// <summary>A board whose actions are answered by the test.</summary>
    private sealed class Script
    {
        private readonly List<PullAction> _actions = [];
        private DateTimeOffset _now = Samples.Start;

        public Script(int parallel, params string[] images)
            : this(new NodePullRequest([.. images.Select(Image)], false, parallel, TimeSpan.FromMinutes(10), 2))
        {
        }

        public Script(NodePullRequest request)
        {
            Board = new NodePullBoard(request);
            Advance();
        }

        public NodePullBoard Board { get; }

        public bool ReleasesAtOnce { get; init; } = true;

        public NodePullMoment Moment => Board.Moment(_now, Samples.Start);

        public IEnumerable<string> Asked => _actions.OfType<AskPresence>().Select(question => question.Entry.Key.ToString()).Distinct();

        public IEnumerable<string> Pulling => Moment.Pulls.Where(pull => pull.Status.Phase == PullPhase.Pulling).Select(pull => pull.Name);

        public IEnumerable<ReleaseLease> Released => _actions.OfType<ReleaseLease>();

        public IEnumerable<CancelPull> Cancelled => _actions.OfType<CancelPull>();

        public Script Tell(SyncInput input)
        {
            Board.Apply(input, _now);
            return Advance();
        }

        public Script Absent(string image) => Tell(new PresenceAnswered(Question(image), new RuntimeAnswer<PresentImage?>(null, null)));

        public Script Present(string image) => Tell(new PresenceAnswered(Question(image), new PresentImage($"{image}@{Samples.Digest}", 7)));

        public Script Succeeds(string image) => Ends(image, new PullOutcome(new PresentImage($"{image}@{Samples.Digest}", 7), null));

        public Script Fails(string image, string reason) => Ends(image, new PullOutcome(null, new PullFailure(reason, $"it is {reason}")));

        public Script Ends(string image, PullOutcome outcome) => Tell(new PullEnded(Attempt(image), outcome));

        public Script Progress(string image, long done, long total) => Tell(new PullProgressed(Attempt(image), new ProgressSample(new PullProgress(done, total))));

        public Script Pass(int seconds)
        {
            _now = _now.AddSeconds(seconds);
            return Advance();
        }

        private long Question(string image) => _actions.OfType<AskPresence>().Last(question => question.Entry.Key.ToString() == image).Question;

        private long Attempt(string image) => _actions.OfType<StartPull>().Last(start => start.Entry.Key.ToString() == image).Attempt;

        private Script Advance()
        {
            var actions = Board.Advance(_now, TimeSpan.Zero).Actions;
            _actions.AddRange(actions);
            foreach (var release in actions.OfType<ReleaseLease>())
                if (ReleasesAtOnce) Board.Apply(new LeaseReleased(release.Reference, true), _now);
            return this;
        }
    }

    /// <summary>Pulls until it is stopped; the person presses Ctrl-C as soon as a pull is under way.</summary>
    private sealed class HangingRuntime(CancellationTokenSource interrupt) : INodeRuntime
    {
        private string? _held;

        public bool WasStopped { get; private set; }

        public async Task<RuntimeAnswer<string>> Pull(string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken)
        {
            await interrupt.CancelAsync();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                WasStopped = true;
                throw;
            }
            throw new InvalidOperationException("nobody stopped it");
        }

        public Task<string?> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken) => Task.FromResult<string?>(_held = reference);

        public Task<IReadOnlyList<string>> Leased(CancellationToken cancellationToken)
        {
            Assert.False(cancellationToken.IsCancellationRequested);
            return Task.FromResult<IReadOnlyList<string>>(_held is null ? [] : [_held]);
        }

        public Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> Release(string reference, bool freesBytes, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IPullProgressReader? ProgressOf(string canonicalName, string tagOrDigest, DateTimeOffset pullStart) => null;

        public Task Find(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask<string?> WhyNotReady(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);
    }
}
