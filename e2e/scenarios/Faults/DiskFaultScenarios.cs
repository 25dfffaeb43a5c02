using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>A node without room, on each version of containerd (contract 2.8).</summary>
public sealed class DiskFaultScenarios(SharedCluster shared) : FaultScenario(shared)
{
    private const int Small = 14, Large = 200;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_disk_that_is_full_until_somebody_makes_room(int nodeIndex)
    {
        var (node, image) = (await OnSmallDiskAsync(nodeIndex), await PushAsync($"fault-disk-{nodeIndex}", kilobytes: 24_000));
        var job = await JobAsync($"fault-disk-{nodeIndex}", Spec(image, node: node.Name));
        await HeldUpAsync(image, "InsufficientDisk", node.Name);
        await node.GrowDiskAsync(Large, Cancellation);
        await CompletesAsync(job, image, withinSeconds: 60, node.Name);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_disk_that_stays_full(int nodeIndex)
    {
        var (node, image) = (await OnSmallDiskAsync(nodeIndex), await PushAsync($"fault-full-{nodeIndex}", kilobytes: 24_000));
        await FailsAsync(await JobAsync($"fault-full-{nodeIndex}", Spec(image, backoffLimit: 1, node: node.Name)), image, "InsufficientDisk", withinSeconds: 60, node.Name);
        var small = await PushAsync($"fault-fits-{nodeIndex}", kilobytes: 3_000); // what had been fetched is gone
        await CompletesAsync(await JobAsync($"fault-fits-{nodeIndex}", Spec(small, backoffLimit: 0, node: node.Name)), small, withinSeconds: 30, node.Name);
    }

    private async Task<ContainerdNode> OnSmallDiskAsync(int nodeIndex)
    {
        var node = Local.Nodes[nodeIndex];
        AtTheEnd(() => node.RestartOnDiskAsync(null, Cancellation));
        await node.RestartOnDiskAsync(Small, Cancellation);
        return node;
    }
}
