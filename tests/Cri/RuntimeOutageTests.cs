using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>A container runtime that goes away and comes back: a job loses nothing by it (contract 5.1).</summary>
public class RuntimeOutageTests
{
    [Fact]
    public void An_outage_costs_no_attempt()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { BackoffLimit = 0 }).Look().Absent();
        for (var restart = 0; restart < 5; restart++)
        {
            script.Fails("nginx:1", PullReason.RuntimeUnavailable);
            Assert.Equal((PullPhase.Pulling, PullReason.RuntimeUnavailable), (script.Status("nginx").Phase, script.Status("nginx").Reason));
            script.RuntimeIsBack().PassToNextLook().Absent();
        }
        script.Succeeds("nginx:1");
        Assert.Equal(PullPhase.Succeeded, script.Status("nginx").Phase);
        Assert.Null(script.Status("nginx").Reason);
    }

    [Fact]
    public void The_runtime_is_looked_for_once_and_nothing_is_asked_of_it_meanwhile()
    {
        var script = new PullScript().Wants("a").Wants("b").Wants("c").Look().Absent();
        script.Fails("a:1", PullReason.RuntimeUnavailable).Fails("b:1", PullReason.RuntimeUnavailable);
        Assert.Single(script.Actions.OfType<FindRuntime>());
        script.Pass(60);
        Assert.Empty(script.Running);
        Assert.Equal((PullPhase.Waiting, PullReason.RuntimeUnavailable), (script.Status("c").Phase, script.Status("c").Reason));
        script.RuntimeIsBack().Absent();
        Assert.Equal(2, script.Running.Count());
    }

    [Fact]
    public void A_question_that_finds_nobody_waits_too()
    {
        var script = new PullScript().Wants("nginx").Look();
        script.Answer(script.Questions.Keys.Single(), new PullFailure(PullReason.RuntimeUnavailable, "gone"));
        script.Advance();
        Assert.Equal((PullPhase.Waiting, PullReason.RuntimeUnavailable), (script.Status("nginx").Phase, script.Status("nginx").Reason));
        script.RuntimeIsBack().PassToNextLook();
        Assert.Single(script.Questions);
    }

    [Fact]
    public void An_outage_as_long_as_an_attempt_is_a_failed_attempt()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { BackoffLimit = 1, TimeoutSeconds = 60 }).Look().Absent();
        script.Fails("nginx:1", PullReason.RuntimeUnavailable).Pass(60);
        Assert.Equal(PullPhase.Pulling, script.Status("nginx").Phase);
        for (var look = 0; look < 10 && script.LookAgainAt is not null; look++) script.PassToNextLook();
        Assert.Equal((PullPhase.Failed, PullReason.RuntimeUnavailable), (script.Status("nginx").Phase, script.Status("nginx").Reason));
    }

    [Fact]
    public void The_deadline_holds_during_an_outage()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { ActiveDeadlineSeconds = 20 }).Look().Absent();
        script.Fails("nginx:1", PullReason.RuntimeUnavailable).Pass(20);
        Assert.Equal(PullReason.DeadlineExceeded, script.Status("nginx").Reason);
    }

    [Fact]
    public void An_image_that_kills_the_runtime_each_time_is_given_up()
    {
        var script = new PullScript().Wants("nginx", policy: new TagPullPolicy { BackoffLimit = 1, TimeoutSeconds = 60 }).Look().Absent();
        for (var attempt = 0; attempt < 50 && !PullPhase.IsFinished(script.Status("nginx").Phase); attempt++)
        {
            if (script.Running.Any()) script.Fails("nginx:1", PullReason.RuntimeUnavailable).RuntimeIsBack();
            script.PassToNextLook().Absent();
        }
        Assert.Equal(PullReason.RuntimeUnavailable, script.Status("nginx").Reason);
    }
}
