using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>What was fetched is kept as long as somebody wants it, and no longer (contract 5.10).</summary>
public class LeaseTests
{
    private const string Nginx = "docker.io/library/nginx:1";

    [Theory]
    [InlineData(PullReason.RegistryUnavailable)]
    [InlineData(PullReason.RateLimited)]
    [InlineData(PullReason.InsufficientDisk)]
    [InlineData(PullReason.RuntimeUnavailable)]
    public void It_is_kept_between_attempts_and_goes_with_success(string reason)
    {
        var script = new PullScript().Wants("nginx").Look().Absent().Fails("nginx:1", reason);
        Assert.Empty(Released(script));
        script.RuntimeIsBack().PassToNextLook().Absent().Succeeds("nginx:1");
        Assert.Equal(new ReleaseLease(Nginx, FreesBytes: false), Assert.Single(Released(script)));
        Assert.Empty(script.Leases);
    }

    [Fact]
    public void It_is_kept_when_an_attempt_takes_too_long()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { TimeoutSeconds = 60 }).Look().Absent().Pass(60).Ends("nginx:1", PullOutcome.Cancelled);
        script.PassToNextLook().Absent();
        Assert.Equal(2, script.Started.Count());
        Assert.Empty(Released(script));
    }

    [Fact]
    public void It_is_kept_when_the_version_changes()
    {
        var script = new PullScript().Wants("nginx", version: 1).Look().Absent();
        script.Wants("nginx", version: 2).Look().Absent().Ends("nginx:1", PullOutcome.Cancelled);
        Assert.Equal(2, script.Started.Last().Entry.Version);
        Assert.Empty(Released(script));
    }

    [Fact]
    public void A_final_failure_frees_the_bytes()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { BackoffLimit = 0 }).Look().Absent().Fails("nginx:1");
        Assert.Equal(new ReleaseLease(Nginx, FreesBytes: true), Assert.Single(Released(script)));
    }

    [Fact]
    public void A_removed_entry_frees_the_bytes_once_its_pull_has_ended()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        var attempt = script.Pulls.Keys.Single();
        script.DropsEntry("nginx").Look();
        Assert.Empty(Released(script)); // the attempt may be about to make the lease
        script.End(attempt, PullOutcome.Cancelled);
        script.Advance();
        Assert.Equal(new ReleaseLease(Nginx, FreesBytes: true), Assert.Single(Released(script)));
    }

    [Fact]
    public void Two_names_of_one_reference_share_it()
    {
        var script = new PullScript().Wants("nginx").Wants("docker.io/library/nginx").Look().Absent();
        var attempt = script.Pulls.Keys.Single();
        script.DropsEntry("docker.io/library/nginx").Look();
        script.End(attempt, PullOutcome.Cancelled);
        script.Advance();
        Assert.Empty(Released(script));
        script.Succeeds("nginx:1");
        Assert.Single(Released(script));
    }

    /// <summary>The bad bytes would be met by every further attempt.</summary>
    [Fact]
    public void Damage_is_thrown_away_before_the_next_attempt()
    {
        var script = new PullScript { ReleasesAtOnce = false }.Wants("nginx").Look().Absent();
        script.Fails("nginx:1", PullReason.Unknown, TimeSpan.Zero).PassToNextLook().Absent();
        Assert.Equal(new ReleaseLease(Nginx, FreesBytes: true), Assert.Single(Released(script)));
        Assert.Single(script.Started);
        script.Release(Nginx);
        script.Advance();
        Assert.Equal(2, script.Started.Count());
    }

    [Fact]
    public void A_pull_waits_while_its_lease_is_being_deleted()
    {
        var script = new PullScript { ReleasesAtOnce = false }.Wants("nginx").Look().Absent().Succeeds("nginx:1");
        script.Wants("nginx", version: 1, always: true).Look();
        Assert.Empty(script.Running);
        script.Release(Nginx);
        script.Advance();
        Assert.Single(script.Running);
    }

    [Fact]
    public void A_lease_that_could_not_be_deleted_is_tried_again()
    {
        var script = new PullScript { ReleasesAtOnce = false }.Wants("nginx").Look().Absent().Succeeds("nginx:1");
        script.Release(Nginx, isGone: false);
        script.Advance();
        Assert.Single(Released(script));
        Assert.Equal(script.Now.AddSeconds(30), script.LookAgainAt);
        script.PassToNextLook();
        Assert.Equal(2, Released(script).Count());
    }

    [Fact]
    public void A_lease_that_could_not_be_deleted_hinders_no_pull_and_no_sleep()
    {
        var script = new PullScript { ReleasesAtOnce = false }.Wants("nginx").Look().Absent().Succeeds("nginx:1");
        script.Release(Nginx, isGone: false);
        script.Wants("nginx", version: 1).Look().Absent().Pass(40);
        Assert.Single(script.Running);
        Assert.True(script.LookAgainAt > script.Now);
    }

    [Fact]
    public void What_a_former_daemon_left_goes_unless_somebody_wants_it()
    {
        var script = new PullScript().WasLeased(Nginx).WasLeased("docker.io/library/redis:7").RuntimeIsBack();
        Assert.Empty(Released(script)); // the NodeImage has not been read yet
        script.Wants("nginx").Look();
        Assert.Equal("docker.io/library/redis:7", Assert.Single(Released(script)).Reference);
        script.Present("nginx:1");
        Assert.Equal(Nginx, Released(script).Last().Reference);
        Assert.Empty(script.Leases);
    }

    [Fact]
    public void An_image_that_is_there_needs_no_lease()
    {
        var script = new PullScript().RuntimeIsBack().Wants("nginx").Look().Present("nginx:1");
        Assert.Empty(script.Leases);
        Assert.Empty(Released(script));
    }

    [Fact]
    public void A_lease_says_whose_it_is_and_what_for()
    {
        var lease = LeaseMark.Daemon.For(Nginx, TimeSpan.FromMinutes(10), PullScript.Start);
        Assert.Equal("2026-11-26T03:10:00Z", LeaseMark.Daemon.LabelsOf(lease)["containerd.io/gc.expire"]);
        Assert.Equal(lease, LeaseMark.Daemon.Read(lease.Id, LeaseMark.Daemon.LabelsOf(lease)));
        Assert.Equal(lease.Id, LeaseMark.Daemon.For(Nginx, TimeSpan.FromMinutes(10), PullScript.Start).Id);
        Assert.NotEqual(lease.Id, LeaseMark.Daemon.For("docker.io/library/nginx:2", TimeSpan.FromMinutes(10), PullScript.Start).Id);
        Assert.Null(LeaseMark.Daemon.Read("somebody else's", new Dictionary<string, string> { [PullLease.ExpiryLabel] = "2026-11-26T03:10:00Z" }));
    }

    /// <summary>Else each would delete it under a pull of the other.</summary>
    [Fact]
    public void The_lease_of_a_person_is_no_lease_of_the_daemon()
    {
        var byHand = LeaseMark.Ctl.For(Nginx, TimeSpan.FromMinutes(10), PullScript.Start);
        Assert.Equal(PullScript.Start.AddMinutes(70), byHand.ExpiresAt);
        Assert.Null(LeaseMark.Daemon.Read(byHand.Id, LeaseMark.Ctl.LabelsOf(byHand)));
        Assert.Equal(byHand, LeaseMark.Ctl.Read(byHand.Id, LeaseMark.Ctl.LabelsOf(byHand)));
        Assert.NotEqual(LeaseMark.Daemon.Of(Nginx), LeaseMark.Ctl.Of(Nginx));
        // Names too: two that end in one second may be made at the same time.
        Assert.NotEqual((LeaseMark.Ctl with { Grace = LeaseMark.Daemon.Grace }).For(Nginx, TimeSpan.Zero, PullScript.Start).Id, LeaseMark.Daemon.For(Nginx, TimeSpan.Zero, PullScript.Start).Id);
    }

    [Theory]
    [InlineData(24, true)]
    [InlineData(24.1, false)]
    public void A_lease_serves_an_attempt_that_it_outlives(double hoursLater, bool serves)
    {
        var timeout = TimeSpan.FromMinutes(10);
        var lease = LeaseMark.Daemon.For(Nginx, timeout, PullScript.Start);
        Assert.Equal(serves ? lease : null, PullLease.Choose([lease, new PullLease("odd", Nginx, DateTimeOffset.MinValue)], timeout, PullScript.Start.AddHours(hoursLater)));
    }

    private static IEnumerable<ReleaseLease> Released(PullScript script) => script.Actions.OfType<ReleaseLease>();
}
