using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>A leader that sleeps longer than its lease and wakes up with all that it knew: for a while there are two (contract 7.1).</summary>
public sealed class LeadershipFaultScenarios(SharedCluster shared) : ProcessFaultScenario(shared)
{
    [Fact]
    public async Task A_leader_that_sleeps_through_its_lease_and_wakes_up_in_the_middle()
    {
        await BeginAsync("fault-asleep-leader");
        await MomentAsync("a node pulls", AnyPullsAsync);
        await WhileTheLeaderSleepsAsync(() => MomentAsync("the next leader gave a slot", async () => await HaveItAsync() >= 1 && await AnyPullsAsync()));
        await EndsWellAsync(withinSeconds: 30);
    }

    [Fact]
    public async Task A_leader_that_wakes_up_when_all_is_done()
    {
        await BeginAsync("fault-late-leader");
        await MomentAsync("a slot was freed", async () => await HaveItAsync() >= 1);
        await WhileTheLeaderSleepsAsync(async () => await Job.FinishedAsync());
        await EndsWellAsync(withinSeconds: 30);
    }

    /// <summary>What it knows of is gone, and another job has the name.</summary>
    [Fact]
    public async Task A_leader_that_wakes_up_to_another_job_of_the_same_name()
    {
        await BeginAsync("fault-former-job");
        await MomentAsync("a node pulls", AnyPullsAsync);
        await WhileTheLeaderSleepsAsync(async () =>
        {
            await Job.DeleteAsync();
            await Job.GoneAsync();
            Cut++;
            await AgainAsync();
            await MomentAsync("a node pulls for the new job", AnyPullsAsync);
        });
        await EndsWellAsync(withinSeconds: 30);
    }

    private async Task WhileTheLeaderSleepsAsync(Func<Task> meanwhile)
    {
        var sleeper = await Local.LeaderAsync(Cancellation);
        sleeper.Server.Freeze();
        try
        {
            await UntilAsync("another leads", async () => await Local.FindLeaderAsync(Cancellation) is { } leader && leader != sleeper);
            await meanwhile();
        }
        finally
        {
            sleeper.Server.Thaw();
        }
        await UntilAsync("the sleeper stands by", async () => await sleeper.MetricAsync("kruise_image_leader", Cancellation) == 0 && await sleeper.IsReadyAsync(Cancellation));
    }
}
