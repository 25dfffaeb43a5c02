using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>The life of an entry on a node (contract 5.2–5.6), scene by scene.</summary>
public class PullTableTests
{
    [Fact]
    public void A_persons_entry_without_version_or_creation_time_works_at_once()
    {
        var script = new PullScript().Wants("ubuntu", "latest").Look().Absent();
        Assert.Equal("docker.io/library/ubuntu:latest", Assert.Single(script.Started).Entry.Reference);
        script.Pass(3).Succeeds("ubuntu:latest");

        var status = script.Status("ubuntu", "latest");
        Assert.Equal((PullPhase.Succeeded, 100, 0L, "ubuntu:latest@sha256:1"), (status.Phase, status.Progress, status.Version, status.ImageID));
        Assert.Equal((PullScript.Start, PullScript.Start.AddSeconds(3)), (status.StartTime, status.CompletionTime));
        Assert.Equal(TimeSpan.FromSeconds(3), Assert.Single(script.Announced).Elapsed);
    }

    [Fact]
    public void An_image_that_is_there_is_not_pulled_and_waits_for_no_slot()
    {
        var script = new PullScript(new PullLimits { MaxConcurrentPulls = 1 }).Wants("big").Look().Absent();
        script.Wants("small").Look().Present("small:1");
        Assert.Equal(["big:1"], script.Started.Select(start => start.Entry.Key.ToString()));
        Assert.Equal((PullPhase.Succeeded, "the image was on the node already"), (script.Status("small").Phase, script.Status("small").Message));
    }

    [Fact]
    public void Always_pulls_without_asking()
    {
        var script = new PullScript().Wants("nginx", always: true).Look();
        Assert.Single(script.Started);
        Assert.Empty(script.Actions.OfType<AskPresence>());
    }

    [Fact]
    public void Attempts_are_one_more_than_the_backoff_limit()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { BackoffLimit = 2 }).Look().Absent();
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(attempt, script.Started.Count());
            script.Fails("nginx:1").PassToNextLook().Absent();
        }
        var status = script.Status("nginx");
        Assert.Equal((PullPhase.Failed, PullReason.RegistryUnavailable, "it is RegistryUnavailable"), (status.Phase, status.Reason, status.Message));
        Assert.Null(script.LookAgainAt);
    }

    [Fact]
    public void Retries_wait_from_one_second_to_thirty()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { BackoffLimit = 10 }).Look().Absent();
        var waits = new List<double>();
        for (var attempt = 0; attempt < 10; attempt++)
        {
            script.Fails("nginx:1");
            waits.Add((script.LookAgainAt!.Value - script.Now).TotalSeconds);
            script.PassToNextLook().Absent();
        }
        Assert.InRange(waits[0], 1, 2);
        Assert.InRange(waits[2], 4, 8);
        Assert.All(waits.Skip(5), wait => Assert.InRange(wait, 15, 30));
    }

    [Fact]
    public void Nodes_do_not_come_back_together()
    {
        var waits = Enumerable.Range(0, 20).Select(node =>
        {
            var script = new PullScript(new PullLimits { JitterSeed = $"node-{node}" }).Wants("nginx").Look().Absent().Fails("nginx:1");
            return script.LookAgainAt!.Value - script.Now;
        });
        Assert.True(waits.Distinct().Count() > 15);
    }

    [Theory]
    [InlineData(PullReason.Auth)]
    [InlineData(PullReason.NotFound)]
    [InlineData(PullReason.NoMatchingPlatform)]
    [InlineData(PullReason.InvalidReference)]
    public void What_another_attempt_cannot_help_is_not_repeated(string reason)
    {
        var script = new PullScript().Wants("nginx").Look().Absent().Fails("nginx:1", reason);
        Assert.Equal((PullPhase.Failed, reason), (script.Status("nginx").Phase, script.Status("nginx").Reason));
        Assert.Null(script.LookAgainAt);
    }

    [Fact]
    public void A_registry_that_limits_the_rate_is_left_alone_as_long_as_it_asks()
    {
        var script = new PullScript().Wants("nginx").Look().Absent().Fails("nginx:1", PullReason.RateLimited, TimeSpan.FromSeconds(90));
        Assert.InRange((script.LookAgainAt!.Value - script.Now).TotalSeconds, 90, 90 * 1.2);
    }

    [Fact]
    public void A_damaged_download_is_repeated_at_once()
    {
        var script = new PullScript().Wants("nginx").Look().Absent().Fails("nginx:1", PullReason.Unknown, TimeSpan.Zero);
        Assert.Single(script.Questions);
    }

    [Fact]
    public void An_attempt_has_its_timeout_and_is_cancelled_then()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { TimeoutSeconds = 60, BackoffLimit = 0 }).Look().Absent();
        Assert.Equal(PullScript.Start.AddSeconds(60), script.LookAgainAt);
        script.PassToNextLook();
        Assert.Equal(script.Started.Single().Attempt, Assert.Single(script.Cancelled).Attempt);
        Assert.Equal(PullReason.Timeout, script.Status("nginx").Reason);
    }

    [Fact]
    public void The_deadline_counts_from_the_first_attempt_and_never_from_queueing()
    {
        var limits = new PullLimits { MaxConcurrentPulls = 1 };
        var script = new PullScript(limits).Wants("first").Wants("second", policy: new TagPullPolicy { ActiveDeadlineSeconds = 100, BackoffLimit = 50 }).Look().Absent();
        script.Pass(1000).Succeeds("first:1").Absent();
        Assert.Equal(PullPhase.Pulling, script.Status("second").Phase);
        script.Pass(99).Fails("second:1");
        Assert.Equal(PullPhase.Pulling, script.Status("second").Phase);
        script.Pass(1);
        var status = script.Status("second");
        Assert.Equal((PullPhase.Failed, PullReason.DeadlineExceeded), (status.Phase, status.Reason));
        Assert.Contains("it is RegistryUnavailable", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_deadline_in_the_middle_of_an_attempt_cancels_it()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { ActiveDeadlineSeconds = 30 }).Look().Absent().PassToNextLook();
        Assert.Equal(PullScript.Start.AddSeconds(30), script.Now);
        Assert.Single(script.Cancelled);
        Assert.Equal(PullReason.DeadlineExceeded, script.Status("nginx").Reason);
    }

    [Fact]
    public void Pulls_are_bounded_and_first_come_first_served()
    {
        var script = new PullScript().Wants("c").Wants("a").Wants("b").Wants("d").Look().Absent();
        Assert.Equal(["a:1", "b:1"], script.Running);
        Assert.Equal((PullPhase.Waiting, null), (script.Status("c").Phase, script.Status("c").StartTime));
        script.Succeeds("b:1");
        Assert.Equal(["a:1", "c:1"], script.Running);
    }

    [Fact]
    public void A_failed_attempt_gives_its_slot_away()
    {
        var script = new PullScript(new PullLimits { MaxConcurrentPulls = 1 }).Wants("a").Wants("b").Look().Absent().Fails("a:1");
        Assert.Equal(["b:1"], script.Running);
    }

    [Fact]
    public void One_reference_under_two_names_is_pulled_once()
    {
        var script = new PullScript().Wants("nginx").Wants("docker.io/library/nginx").Look().Absent();
        Assert.Single(script.Running);
        script.Succeeds(script.Running.Single());
        Assert.Equal(2, script.Table.Report().Succeeded);
        Assert.Single(script.Started);
    }

    [Fact]
    public void Who_wants_Always_after_the_pull_began_has_a_pull_of_its_own()
    {
        var script = new PullScript().Wants("nginx", always: true).Look();
        script.Wants("docker.io/library/nginx", always: true).Look();
        Assert.Single(script.Running);
        script.Succeeds("nginx:1");
        Assert.Equal(["docker.io/library/nginx:1"], script.Running);
    }

    [Fact]
    public void A_raised_version_cancels_and_starts_afresh_and_the_old_result_is_void()
    {
        var script = new PullScript().Wants("nginx", version: 1, always: true).Look();
        var old = script.Pulls.Keys.Single();
        script.Wants("nginx", version: 2, always: true).Look();
        Assert.Equal(old, Assert.Single(script.Cancelled).Attempt);
        Assert.Single(script.Started); // one pull of a reference at a time: the cancelled one has not ended

        script.End(old, new PullOutcome(new PresentImage("old", 1), null));
        Assert.Equal((PullPhase.Waiting, 2L, null), (script.Status("nginx").Phase, script.Status("nginx").Version, script.Status("nginx").ImageID));
        script.Advance();
        Assert.Equal(2, script.Started.Last().Entry.Version);
    }

    [Fact]
    public void A_removed_entry_is_cancelled_at_once_and_leaves_the_status()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        script.DropsEntry("nginx").Look();
        Assert.Single(script.Cancelled);
        Assert.Null(script.Table.Report().ImageStatuses);
        Assert.Empty(script.Announced);
    }

    [Fact]
    public void A_removed_entry_is_not_retried()
    {
        var script = new PullScript().Wants("nginx").Look().Absent().Fails("nginx:1");
        script.DropsEntry("nginx").Look();
        Assert.Null(script.LookAgainAt);
    }

    [Fact]
    public void A_policy_that_changes_under_a_pull_holds_for_it()
    {
        var script = new PullScript().Wants("nginx", version: 1).Look().Absent();
        script.Wants("nginx", version: 1, policy: new TagPullPolicy { ActiveDeadlineSeconds = 5 }).Look().Pass(5);
        Assert.Equal(PullReason.DeadlineExceeded, script.Status("nginx").Reason);
    }

    [Fact]
    public void What_a_former_daemon_finished_is_finished()
    {
        var left = new ImageTagStatus { Tag = "1", Version = 3, Phase = PullPhase.Succeeded, Progress = 100, ImageID = "x", Message = "by another version of us" };
        var script = new PullScript(left: Left("nginx", left)).Wants("nginx", version: 3).Look();
        Assert.Empty(script.Actions);
        Assert.Equal(left, script.Status("nginx"));
    }

    [Fact]
    public void What_a_former_daemon_finished_for_another_version_is_not()
    {
        var left = new ImageTagStatus { Tag = "1", Version = 2, Phase = PullPhase.Succeeded };
        Assert.Single(new PullScript(left: Left("nginx", left)).Wants("nginx", version: 3).Look().Questions);
    }

    [Fact]
    public void What_a_former_daemon_began_goes_on_with_its_deadline()
    {
        var left = new ImageTagStatus { Tag = "1", Phase = PullPhase.Pulling, StartTime = PullScript.Start.AddSeconds(-60) };
        var script = new PullScript(left: Left("nginx", left)).Wants("nginx", policy: new TagPullPolicy { ActiveDeadlineSeconds = 100 }).Look().Absent();
        Assert.Equal(PullPhase.Pulling, script.Status("nginx").Phase);
        script.Pass(40);
        Assert.Equal(PullReason.DeadlineExceeded, script.Status("nginx").Reason);
    }

    /// <summary>Time limits go by a steady clock; the wall clock is for those who read the status.</summary>
    [Theory]
    [InlineData(3600)]
    [InlineData(-3600)]
    public void A_step_of_the_wall_clock_ends_nothing_and_prolongs_nothing(int step)
    {
        var policy = new TagPullPolicy { TimeoutSeconds = 60, ActiveDeadlineSeconds = 90, BackoffLimit = 5 };
        var script = new PullScript().Wants("nginx", policy: policy).Look().Absent();
        script.Table.ClockStep = TimeSpan.FromSeconds(step);
        script.Pass(59);
        Assert.Empty(script.Cancelled);
        script.Pass(1).Ends("nginx:1", PullOutcome.Cancelled).PassToNextLook().Absent();
        script.PassToNextLook();

        var status = script.Status("nginx");
        Assert.Equal((PullReason.DeadlineExceeded, PullScript.Start), (status.Reason, status.StartTime));
        Assert.Equal(PullScript.Start.AddSeconds(90 + step), status.CompletionTime);
        Assert.Equal(TimeSpan.FromSeconds(90), Assert.Single(script.Announced).Elapsed);
    }

    [Fact]
    public void What_a_former_daemon_began_is_judged_by_the_wall_clock_that_it_wrote_down()
    {
        var left = new ImageTagStatus { Tag = "1", Phase = PullPhase.Pulling, StartTime = PullScript.Start.AddHours(1).AddSeconds(-60) };
        var script = new PullScript(left: Left("nginx", left));
        script.Table.ClockStep = TimeSpan.FromHours(1);
        script.Wants("nginx", policy: new TagPullPolicy { ActiveDeadlineSeconds = 100 }).Look().Absent().Pass(39);
        Assert.Equal((PullPhase.Pulling, left.StartTime), (script.Status("nginx").Phase, script.Status("nginx").StartTime));
        Assert.Equal(PullReason.DeadlineExceeded, script.Pass(1).Status("nginx").Reason);
    }

    [Fact]
    public void A_steady_clock_runs_with_the_timestamps_and_knows_how_far_the_wall_went_astray()
    {
        var clock = new FakeClock();
        var (steady, start) = (new SteadyClock(clock), clock.GetUtcNow());
        clock.WallClockStep = TimeSpan.FromHours(-3);
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((start.AddSeconds(10), TimeSpan.FromHours(-3)), (steady.Now, steady.Step));
    }

    [Fact]
    public void A_recreated_NodeImage_starts_afresh()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        script.Uid = "uid-2";
        script.Look();
        Assert.Single(script.Cancelled);
        Assert.Equal(PullPhase.Waiting, script.Status("nginx").Phase);
    }

    [Fact]
    public void A_deleted_NodeImage_stops_everything()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        script.Table.Observe(null, script.Now);
        script.Advance();
        Assert.Single(script.Cancelled);
        Assert.Equal(0, script.Table.Report().Desired);
    }

    [Theory]
    [InlineData("UPPER", "1")]
    [InlineData("nginx", "bad tag")]
    [InlineData("nginx:1", "1")]
    [InlineData("nginx", "sha256:123")]
    public void A_malformed_reference_fails_without_a_call(string image, string tag)
    {
        var script = new PullScript().Wants(image, tag).Look();
        Assert.Equal((PullPhase.Failed, PullReason.InvalidReference), (script.Status(image, tag).Phase, script.Status(image, tag).Reason));
        Assert.NotEmpty(script.Status(image, tag).Message!);
        Assert.Empty(script.Questions);
    }

    [Fact]
    public void Numbers_out_of_range_are_the_defaults()
    {
        var policy = new TagPullPolicy { TimeoutSeconds = -1, BackoffLimit = -1, ActiveDeadlineSeconds = -1 };
        var entry = Assert.Single(new PullScript().Wants("nginx", policy: policy).Look().Absent().Started).Entry;
        Assert.Equal((TimeSpan.FromSeconds(600), 3, null), (entry.Timeout, entry.BackoffLimit, entry.ActiveDeadline));
    }

    [Fact]
    public void A_digest_is_asked_for_as_a_digest()
    {
        var digest = "sha256:" + new string('a', 64);
        var script = new PullScript().Wants("quay.io/team/app", digest).Look().Absent();
        Assert.Equal($"quay.io/team/app@{digest}", Assert.Single(script.Started).Entry.Reference);
    }

    [Fact]
    public void At_most_256_images_are_looked_at()
    {
        var script = new PullScript();
        for (var i = 0; i < 300; i++) script.Wants($"image-{i:000}");
        Assert.Equal(Defaults.MaxImages, script.Look().Table.Report().Desired);
    }

    [Fact]
    public void When_all_first_entries_have_ended_the_first_sync_is_told_once()
    {
        var script = new PullScript().Wants("a").Wants("b").Look().Absent().Succeeds("a:1");
        Assert.Null(script.Table.Report().FirstSyncStatus);
        script.Fails("b:1", PullReason.NotFound);
        var sync = script.Table.Report().FirstSyncStatus;
        Assert.Equal((PullPhase.Failed, "1 pulled, 1 failed"), (sync!.Status, sync.Message));
        script.Wants("c").Look().Absent().Succeeds("c:1");
        Assert.Same(sync, script.Table.Report().FirstSyncStatus);
    }

    private static NodeImageStatus Left(string image, ImageTagStatus entry) =>
        new() { Desired = 1, ImageStatuses = new() { [image] = new ImageStatus { Tags = [entry] } } };
}
