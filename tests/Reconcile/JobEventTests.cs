using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>What a job tells in events: few, with numbers.</summary>
public sealed class JobEventTests
{
    [Fact]
    public void Events_of_a_job_are_one_for_each_outcome_however_many_nodes()
    {
        string[] nodes = [.. Enumerable.Range(0, 50).Select(node => $"n{node:00}")];
        var world = new World().WithNodes(nodes);
        world.CreateJob("job", new ImagePullJobSpec { Image = "nginx:1", Parallelism = 100 });
        world.Settle();
        foreach (var node in nodes)
        {
            var failed = node.EndsWith('7') || node.EndsWith('8');
            world.Report(node, failed ? PullPhase.Failed : PullPhase.Succeeded, failed ? node.EndsWith('7') ? PullReason.NotFound : PullReason.Timeout : "pulled in 1.2 s, 3.4 MB");
            world.Advance(TimeSpan.FromSeconds(0.3));
        }

        Assert.NotNull(world.Job("job").Status!.CompletionTime);
        Assert.Equal(["", PullReason.NotFound, PullReason.Timeout], world.Totals.Keys.Select(key => key.Subject).Order(StringComparer.Ordinal));
        var succeeded = world.Totals[("job", PullEvent.Succeeded, "")];
        Assert.Equal((40, false, "nginx:1 is on 40 of 50 nodes; n49: pulled in 1.2 s, 3.4 MB"), (succeeded.Count, succeeded.Warning, succeeded.Message));
        var missing = world.Totals[("job", PullEvent.Failed, PullReason.NotFound)];
        Assert.Equal((5, true, "nginx:1 failed on 5 of 50 nodes, NotFound; n07: NotFound"), (missing.Count, missing.Warning, missing.Message));

        world.Totals.Clear();
        world.Restart();
        world.Settle();
        Assert.Empty(world.Totals);
    }
}
