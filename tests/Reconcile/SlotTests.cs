using KruiseImage.Crds;
using KruiseImage.Reconcile;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>Which nodes get the free slots of a job, and that a slot is given once however many plans find it free.</summary>
public sealed class SlotTests
{
    private static ImagePullJobSpec Pull(string image = "nginx:1", int parallelism = 10) => new() { Image = image, Parallelism = parallelism };

    [Fact]
    public void A_slot_that_gets_free_while_the_status_is_on_its_way_is_given_and_only_once()
    {
        var world = new World().WithNodes("a", "b", "c", "d");
        var job = world.CreateJob("job", Pull(parallelism: 1));
        world.Settle();
        var first = Assert.Single(world.NodesWith());
        world.Report(first, PullPhase.Succeeded);

        // The plan whose status write is under way, and the one of the event that came meanwhile.
        var slow = world.Board.PlanJob("default/job", world.Now)!.Actions.OfType<DispatchNodes>().Single();
        var quick = Assert.IsType<DispatchNodes>(Assert.Single(world.Board.PlanSlots("default/job", world.Now)!.Actions));
        world.Board.Dispatch(job.Metadata.Uid!, quick.Slots, world.Now);
        world.Board.Dispatch(job.Metadata.Uid!, [.. slow.Slots.Select(slot => (slot + 1) % 4), .. slow.Slots], world.Now);
        world.Settle();
        Assert.Equal(2, world.NodesWith().Length);
        Assert.Empty(world.Board.PlanSlots("default/job", world.Now)!.Actions);
    }

    [Theory]
    [InlineData("paused")]
    [InlineData("invalid")]
    [InlineData("over")]
    [InlineData("late")]
    public void No_slot_is_given_to_a_job_that_may_not_pull(string what)
    {
        var world = new World().WithNodes("a");
        var spec = what switch
        {
            "paused" => Pull(parallelism: 0),
            "invalid" => Pull(image: "NGINX"),
            "late" => Pull(parallelism: 0) with { CompletionPolicy = new CompletionPolicy { ActiveDeadlineSeconds = 1000 } },
            _ => Pull(),
        };
        world.CreateJob("job", spec);
        world.Settle();
        if (what == "over") world.Report("a", PullPhase.Succeeded);
        world.Settle();
        if (what == "late") world.EditJob("job", edited => edited with { Parallelism = 1 });
        if (what == "over") world.SetNode("b", true, []);
        var now = what == "late" ? world.Now.AddSeconds(1001) : world.Now;
        Assert.Empty(world.Board.PlanSlots("default/job", now)!.Actions);
    }

    [Fact]
    public void Jobs_over_the_same_nodes_begin_at_different_ones()
    {
        var names = Enumerable.Range(0, 50).Select(index => $"n{index:d2}").ToArray();
        var world = new World().WithNodes(names);
        var half = new NodeSelector { Names = [.. names[25..]] };
        for (var index = 0; index < 50; index++) world.CreateJob($"job{index}", Pull($"image{index}:1", parallelism: 1) with { Selector = index % 2 == 0 ? null : half });
        world.Settle();
        var busiest = names.Max(name => world.NodeImage(name).Spec!.Images?.Count ?? 0);
        Assert.InRange(busiest, 1, 8); // one after the other they would all be on the first
    }
}
