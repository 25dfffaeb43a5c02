using System.Diagnostics;
using Grpc.Core;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The bed's own promises, without which the other scenarios prove nothing.</summary>
public sealed class BedScenarios(SharedCluster shared) : Scenario(shared)
{
    [Fact]
    public async Task The_nodes_run_containerd_1_6_1_7_and_2()
    {
        var versions = await Task.WhenAll(Local.Nodes.Select(node => node.VersionAsync(Cancellation)));
        Assert.Collection(versions,
            version => Assert.StartsWith("1.6.", version.TrimStart('v'), StringComparison.Ordinal),
            version => Assert.StartsWith("1.7.", version.TrimStart('v'), StringComparison.Ordinal),
            version => Assert.StartsWith("2.", version.TrimStart('v'), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("quay.io/nobody/nothing:1")]
    [InlineData("registry.example.com:5000/nobody/nothing:1")]
    public async Task No_pull_leaves_the_machine_whatever_registry_is_named(string reference)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => Local.Nodes[0].PullAsync(reference, Cancellation));
        Assert.Equal(StatusCode.NotFound, refused.StatusCode); // our own registry answered
        Assert.Contains(Local.Proxy!.Requests("nobody/nothing"), request => request.Node == Local.Nodes[0].Name);
    }

    [Fact]
    public async Task A_throttled_pull_takes_its_time_and_a_healed_one_does_not()
    {
        var image = await PushSlowAsync("bed-throttled", kilobytes: 900, kilobytesPerSecond: 300);
        var started = Stopwatch.GetTimestamp();
        await Local.Nodes[0].PullAsync(image.Reference, Cancellation);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.9, 30); // three layers of 300 KB at once

        Local.Proxy!.Heal(image.Repository);
        await Local.Nodes[1].PullAsync(image.Reference, Cancellation);
        await HasImageAsync(image, Local.Nodes[0].Name, Local.Nodes[1].Name);
        await LacksImageAsync(image, Local.Nodes[2].Name);
    }
}
