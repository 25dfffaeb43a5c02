using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>Jobs at the ends of what the schema lets pass.</summary>
public sealed class ExtremeJobTests
{
    private static ImagePullJobSpec Pull(int parallelism = 10) => new() { Image = "nginx:1", Parallelism = parallelism };

    [Fact]
    public void The_names_of_failed_nodes_are_cut_when_they_and_the_spec_are_too_large_for_one_object()
    {
        var world = new World().WithNodes("a");
        var names = Enumerable.Range(0, 6_000).Select(i => $"{i:d4}-{new string('x', 120)}").ToArray();
        world.CreateJob("job", Pull() with { Selector = new() { Names = [.. names] } });
        world.Settle();
        var status = world.Job("job").Status!;
        Assert.Equal((6_000, 6_000), (status.Desired, status.Failed));
        Assert.Equal(names.Take(status.FailedNodes!.Count), status.FailedNodes);
        Assert.InRange(status.FailedNodes.Count, 1_000, 3_000);
    }

    [Fact]
    public void A_version_at_the_end_of_its_range_is_renewed_all_the_same()
    {
        var world = new World().WithNodes("a");
        world.EditNodeImage("a", _ => new NodeImageSpec
        {
            Images = new() { ["nginx"] = new ImageSpec { Tags = [new ImageTagSpec { Tag = "1", Version = long.MaxValue, PullPolicy = new() { TtlSecondsAfterFinished = 300 } }] } },
        });
        world.Settle();
        world.Report("a", PullPhase.Failed, PullReason.NotFound);
        world.CreateJob("job", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        Assert.InRange(world.Entry("a")!.Version!.Value, 0, (1L << 53) - 1);
    }

    [Fact]
    public void Numbers_as_large_as_the_API_takes_mean_for_ever()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull(parallelism: int.MaxValue) with
        {
            PullPolicy = new() { TimeoutSeconds = int.MaxValue, BackoffLimit = int.MaxValue },
            CompletionPolicy = new() { ActiveDeadlineSeconds = long.MaxValue, TtlSecondsAfterFinished = int.MaxValue },
        });
        world.Settle();
        world.Report("a", PullPhase.Pulling);
        world.Advance(TimeSpan.FromDays(1));
        Assert.Equal((1, 1), (world.Job("job").Status!.Active, world.Job("job").Status!.Waiting)); // "b" is silent, "a" may pull on
        world.Report("a", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromDays(1));
        Assert.NotNull(world.Job("job").Status!.CompletionTime);
    }
}
