using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>What a job does, told as stories on a cluster in memory. Clause numbers are those of docs/contract.md.</summary>
public sealed class ImagePullJobTests
{
    private static ImagePullJobSpec Pull(string image = "nginx:1", int parallelism = 10) => new() { Image = image, Parallelism = parallelism };

    private static NodeSelector Names(params string[] names) => new() { Names = [.. names] };

    [Fact]
    public void A_job_without_selector_pulls_on_every_node_and_completes()
    {
        var world = new World().WithNodes("a", "b", "c");
        world.CreateJob("job", Pull());
        world.Settle();
        Assert.Equal(["a", "b", "c"], world.NodesWith());
        Assert.Equal((3, 3), (world.Job("job").Status!.Desired, world.Job("job").Status!.Active));

        foreach (var node in new[] { "a", "b", "c" }) world.Report(node, PullPhase.Succeeded);
        world.Settle();
        var status = world.Job("job").Status!;
        Assert.Equal((3, 0, 3, 0), (status.Desired, status.Active, status.Succeeded, status.Failed));
        Assert.Equal("job has completed", status.Message);
        Assert.NotNull(status.CompletionTime);
        Assert.Equal((JobCondition.Complete, "True"), (status.Conditions![0].Type, status.Conditions[0].Status));
        Assert.Equal(3, Assert.Single(status.Digests!).Count);
    }

    [Fact]
    public void Labels_select_nodes_and_the_set_follows_them()
    {
        var world = new World();
        world.SetNode("a", true, new() { ["type"] = "x" });
        world.SetNode("b", true, new() { ["type"] = "y" });
        world.CreateJob("job", Pull() with { Selector = new NodeSelector { MatchLabels = new() { ["type"] = "x" } } });
        world.Settle();
        Assert.Equal(["a"], world.NodesWith());

        world.SetNode("b", true, new() { ["type"] = "x" });
        world.SetNode("a", true, []);
        world.Settle();
        Assert.Equal(["b"], world.NodesWith());
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, world.Job("job").Status!.Desired);
    }

    [Fact]
    public void Parallelism_counts_reservations_and_a_freed_slot_is_filled_at_once()
    {
        var world = new World().WithNodes("a", "b", "c");
        world.CreateJob("job", Pull(parallelism: 1));
        world.Settle();
        Assert.Equal(["a"], world.NodesWith());
        world.Report("a", PullPhase.Succeeded);
        world.Settle();
        Assert.Equal(["a", "b"], world.NodesWith());
    }

    [Fact]
    public void Parallelism_0_pauses_and_raising_it_resumes()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull(parallelism: 0));
        world.Settle();
        Assert.Empty(world.NodesWith());
        Assert.Equal((JobCondition.Suspended, "True"), (world.Job("job").Status!.Conditions![0].Type, world.Job("job").Status!.Conditions![0].Status));

        world.EditJob("job", spec => spec with { Parallelism = 2 });
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["a", "b"], world.NodesWith());
        Assert.Equal((2L, "False"), (world.Job("job").Status!.ObservedGeneration, world.Job("job").Status!.Conditions![0].Status));
    }

    [Fact]
    public void A_percentage_is_a_share_of_the_desired_nodes()
    {
        var world = new World().WithNodes("a", "b", "c", "d", "e");
        world.CreateJob("job", Pull() with { Parallelism = new IntOrPercent(0, "30%") });
        world.Settle();
        Assert.Equal(2, world.NodesWith().Length);
    }

    [Fact]
    public void A_failed_node_fails_the_job_with_its_reason()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull());
        world.Settle();
        world.Report("a", PullPhase.Failed, PullReason.NotFound);
        world.Report("b", PullPhase.Succeeded);
        world.Settle();
        var status = world.Job("job").Status!;
        Assert.Equal("1 of 2 nodes failed", status.Message);
        Assert.Equal(["a"], status.FailedNodes!);
        Assert.Equal((PullReason.NotFound, 1), (status.Failures![0].Reason, status.Failures[0].Count));
        Assert.Equal(JobCondition.Failed, Assert.Single(status.Conditions!).Type);
    }

    [Fact]
    public void No_matching_node_completes_the_job_with_a_warning()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull() with { Selector = new NodeSelector { MatchLabels = new() { ["no"] = "such" } } });
        world.Settle();
        Assert.Equal("NoNodesMatched", Assert.Single(world.Job("job").Status!.Conditions!).Reason);
        Assert.True(Assert.Single(world.Events).Warning);
    }

    [Fact]
    public void A_name_without_a_node_waits_for_the_others_and_then_fails()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull() with { Selector = Names("a", "nope") });
        world.Settle();
        Assert.Equal((2, 1, 1), (world.Job("job").Status!.Desired, world.Job("job").Status!.Active, world.Job("job").Status!.Waiting));
        world.Report("a", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(1));
        var status = world.Job("job").Status!;
        Assert.Equal((1, 1), (status.Succeeded, status.Failed));
        Assert.Equal((PullReason.NodeNotFound, "nope"), (status.Failures![0].Reason, status.Failures[0].Nodes![0]));
    }

    [Fact]
    public void A_node_that_is_not_ready_holds_no_slot_and_is_tried_when_it_comes_back()
    {
        var world = new World().WithNodes("b");
        world.SetNode("a", false, []);
        world.CreateJob("job", Pull(parallelism: 1));
        world.Settle();
        Assert.Equal(["b"], world.NodesWith());
        world.SetNode("a", true, []);
        world.Report("b", PullPhase.Succeeded);
        world.Settle();
        Assert.Contains("a", world.NodesWith());
    }

    [Fact]
    public void A_node_that_goes_down_gives_its_slot_back_and_its_entry_is_withdrawn()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull(parallelism: 1));
        world.Settle();
        world.Report("a", PullPhase.Pulling);
        world.SetNode("a", false, []);
        world.Settle();
        Assert.Equal(["b"], world.NodesWith());
        world.Report("b", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(PullReason.NodeNotReady, world.Job("job").Status!.Failures![0].Reason);
        Assert.NotNull(world.Job("job").Status!.CompletionTime);
    }

    [Fact]
    public void A_silent_daemon_holds_its_slot_for_60_seconds_and_the_job_still_ends()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull(parallelism: 1));
        world.Settle();
        world.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(["a"], world.NodesWith());
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["b"], world.NodesWith());
        world.Report("b", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(PullReason.DaemonNotResponding, world.Job("job").Status!.Failures![0].Reason);
    }

    /// <summary>Its nodes tell by events what they do; only silence must be looked for.</summary>
    [Fact]
    public void A_job_under_way_is_next_looked_at_when_its_first_daemon_may_be_silent()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull(parallelism: 1));
        world.Settle();
        Assert.Equal(TimeSpan.FromSeconds(60), world.Board.PlanJob("default/job", world.Now)!.RequeueAfter);
        world.Advance(TimeSpan.FromSeconds(59.5));
        Assert.Equal(TimeSpan.FromSeconds(0.5), world.Board.PlanJob("default/job", world.Now)!.RequeueAfter);
        world.Report("a", PullPhase.Pulling);
        world.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(["a"], world.NodesWith());
    }

    [Fact]
    public void Silence_does_not_count_while_our_own_watch_is_broken()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull());
        world.Settle();
        world.NodeImages.LiveSince = null;
        world.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(["a"], world.NodesWith());
        world.NodeImages.LiveSince = world.Now;
        world.Advance(TimeSpan.FromSeconds(50));
        Assert.Null(world.Job("job").Status!.CompletionTime);
    }

    [Fact]
    public void The_deadline_fails_what_is_unfinished_once_and_stops_the_pulls()
    {
        var world = new World().WithNodes("a", "b", "c");
        world.CreateJob("job", Pull(parallelism: 2) with { CompletionPolicy = new() { ActiveDeadlineSeconds = 30 }, PullPolicy = new() { TimeoutSeconds = 10 } });
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.Report("b", PullPhase.Pulling);
        world.Advance(TimeSpan.FromSeconds(31));
        var status = world.Job("job").Status!;
        Assert.Equal((3, 1, 2, 0, 0), (status.Desired, status.Succeeded, status.Failed, status.Active, status.Waiting));
        Assert.Equal(["b", "c"], status.FailedNodes!);
        Assert.Equal(PullReason.DeadlineExceeded, Assert.Single(status.Conditions!).Reason);
        Assert.Equal(["a"], world.NodesWith());
    }

    [Fact]
    public void After_its_ttl_the_job_goes_and_its_entries_with_it()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull() with { CompletionPolicy = new() { TtlSecondsAfterFinished = 30 } });
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(["a"], world.NodesWith());
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(world.Jobs.List());
        Assert.Empty(world.NodesWith());
    }

    [Theory]
    [InlineData(PullPhase.Pulling)]
    [InlineData(PullPhase.Succeeded)]
    public void Deleting_a_job_removes_its_entries(string phase)
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull());
        world.Settle();
        world.Report("a", phase);
        world.Settle();
        world.DeleteJob("job");
        world.Settle();
        Assert.Empty(world.NodesWith());
    }

    [Fact]
    public void A_deletion_that_a_finalizer_holds_up_stops_the_pulls_at_once()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull());
        world.Settle();
        world.BeginDeletion("job");
        world.Settle();
        Assert.Empty(world.NodesWith());
    }

    [Fact]
    public void Another_image_starts_the_job_afresh()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull());
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.EditJob("job", spec => spec with { Image = "nginx:2" });
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(world.NodesWith());
        Assert.Equal(["a", "b"], world.NodesWith(tag: "2"));
        Assert.Equal((0, 2L), (world.Job("job").Status!.Succeeded, world.Job("job").Status!.ObservedGeneration));
    }

    [Fact]
    public void An_edited_policy_reaches_the_running_pulls()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull());
        world.Settle();
        world.EditJob("job", spec => spec with { PullPolicy = new() { TimeoutSeconds = 77, BackoffLimit = 5 } });
        world.Settle();
        Assert.Equal((77, 5), (world.Entry("a")!.PullPolicy!.TimeoutSeconds, world.Entry("a")!.PullPolicy!.BackoffLimit));
    }

    [Fact]
    public void An_invalid_job_touches_no_node_and_says_why()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull("nginx::1"));
        world.Settle();
        Assert.Empty(world.NodesWith());
        Assert.Equal((JobCondition.Invalid, "True"), (world.Job("job").Status!.Conditions![0].Type, world.Job("job").Status!.Conditions![0].Status));
        Assert.Equal("InvalidSpec", Assert.Single(world.Events).Reason);
        world.EditJob("job", spec => spec with { Parallelism = 3 }); // as invalid as before
        world.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(world.Events);
    }

    [Fact]
    public void A_job_that_completes_never_pulls_again_a_day_later()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull() with { CompletionPolicy = new() { Type = Defaults.Never } });
        world.Settle();
        var first = world.Entry("a")!.Version;
        world.Report("a", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromHours(23));
        Assert.Equal(first, world.Entry("a")!.Version);
        for (var minute = 0; minute < 75 && world.Entry("a")!.Version == first; minute++) world.Advance(TimeSpan.FromMinutes(1));
        Assert.True(world.Entry("a")!.Version > first);
        Assert.Equal(Defaults.Always, world.Entry("a")!.ImagePullPolicy);
        Assert.Equal(1, world.Job("job").Status!.Active);
        Assert.Null(world.Job("job").Status!.CompletionTime);
    }

    [Fact]
    public void Over_the_days_each_node_pulls_once_a_day_and_not_all_at_one_time()
    {
        string[] nodes = [.. Enumerable.Range(0, 40).Select(node => $"n{node:00}")];
        var world = new World().WithNodes(nodes);
        world.CreateJob("job", Pull(parallelism: 100) with { CompletionPolicy = new() { Type = Defaults.Never } });
        world.Settle();
        var starts = nodes.ToDictionary(node => node, _ => new List<DateTimeOffset> { world.Now });
        var versions = nodes.ToDictionary(node => node, node => world.Entry(node)!.Version);
        foreach (var node in nodes) world.Report(node, PullPhase.Succeeded);
        for (var minute = 0; minute < 4 * 24 * 60 + 60; minute++)
        {
            world.Advance(TimeSpan.FromMinutes(1));
            foreach (var node in nodes.Where(node => world.Entry(node)!.Version > versions[node]))
            {
                versions[node] = world.Entry(node)!.Version;
                starts[node].Add(world.Now);
                world.Report(node, PullPhase.Succeeded);
            }
        }

        Assert.All(starts.Values, rounds => Assert.Equal(5, rounds.Count));
        Assert.All(starts.Values.SelectMany(rounds => rounds.Zip(rounds.Skip(1))), pair =>
            Assert.InRange((pair.Second - pair.First).TotalMinutes, 24 * 60 - 10, 24 * 60 + 12)); // a sweep a minute, and this loop's minute
        Assert.True(starts.Values.Select(rounds => rounds[1]).Distinct().Count() > 8, "the rounds are not spread");
        Assert.Null(world.Job("job").Status!.CompletionTime);
    }

    [Fact]
    public void An_edited_sandbox_config_reaches_the_entry()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull());
        world.Settle();
        world.EditJob("job", spec => spec with { SandboxConfig = new() { Labels = new() { ["a"] = "b" } } });
        world.Settle();
        Assert.Equal("b", world.NodeImage("a").Spec!.Images!["nginx"].SandboxConfig!.Labels!["a"]);
    }

    [Fact]
    public void A_node_that_is_replaced_is_asked_again()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull() with { Selector = new() { Names = ["a", "b"] } });
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.Settle();
        Assert.Equal(["a", "b"], world.NodesWith());
        world.DeleteNode("a");
        world.Settle();
        world.WithNodes("a");
        world.Report("b", PullPhase.Succeeded);
        world.Settle();
        Assert.Equal(["a", "b"], world.NodesWith());
        Assert.Null(world.Job("job").Status!.CompletionTime);
    }

    [Fact]
    public void A_paused_job_whose_nodes_are_not_ready_is_not_looked_at_again_and_again()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull(parallelism: 0));
        world.SetNode("a", false, []);
        world.Advance(TimeSpan.FromMinutes(10));
        var next = world.Board.PlanJob("default/job", world.Now)!.RequeueAfter;
        Assert.True(next is null || next > TimeSpan.FromSeconds(1), $"again after {next}");
    }

    [Fact]
    public void A_new_leader_goes_on_where_the_old_one_stopped_without_a_write()
    {
        var world = new World().WithNodes("a", "b", "c");
        world.CreateJob("job", Pull(parallelism: 2));
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(2));
        world.Writes.Clear();
        world.Restart();
        world.Settle();
        Assert.Empty(world.Writes);
        Assert.Equal((2, 1), (world.Job("job").Status!.Active, world.Job("job").Status!.Succeeded));
    }

    [Fact]
    public void A_status_is_written_at_most_once_a_second()
    {
        var nodes = Enumerable.Range(0, 50).Select(i => $"n{i:00}").ToArray();
        var world = new World().WithNodes(nodes);
        world.CreateJob("job", Pull(parallelism: 50));
        world.Settle();
        world.Writes.Clear();
        foreach (var node in nodes[..^1])
        {
            world.Report(node, PullPhase.Succeeded);
            world.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.Empty(world.Writes);
        world.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(world.Writes);
    }
}
