using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>Jobs whose nodes are those of pods: what is done before the pods are known, and when they move.</summary>
public sealed class PodSelectorTests
{
    private static readonly ImagePullJobSpec ByPods =
        new() { Image = "nginx:1", Parallelism = 10, PodSelector = new() { MatchLabels = new() { ["app"] = "x" } } };

    [Fact]
    public void Pods_select_their_nodes()
    {
        var world = new World().WithNodes("a", "b");
        var job = world.CreateJob("job", ByPods);
        world.Settle();
        Assert.Empty(world.NodesWith());
        world.Board.OnPodNode(job.Metadata.Uid!, "b", true, world.Now);
        world.Board.OnPodsListed(job.Metadata.Uid!);
        world.Settle();
        Assert.Equal(["b"], world.NodesWith());
        world.Board.OnPodNode(job.Metadata.Uid!, "b", false, world.Now);
        world.Board.OnPodNode(job.Metadata.Uid!, "a", true, world.Now);
        world.Settle();
        Assert.Equal(["a"], world.NodesWith());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_new_leader_keeps_what_pods_selected_until_it_knows_the_pods(bool isStillThere)
    {
        var world = new World().WithNodes("a", "b");
        var job = world.CreateJob("job", ByPods);
        world.Board.OnPodNode(job.Metadata.Uid!, "b", true, world.Now);
        world.Board.OnPodsListed(job.Metadata.Uid!);
        world.Settle();
        var version = world.Entry("b")!.Version;
        world.Restart();
        world.Settle();
        Assert.Equal(version, world.Entry("b")!.Version);
        world.Board.OnPodNode(job.Metadata.Uid!, isStillThere ? "b" : "a", true, world.Now);
        world.Board.OnPodsListed(job.Metadata.Uid!);
        world.Settle();
        Assert.Equal([isStillThere ? "b" : "a"], world.NodesWith());
        if (isStillThere) Assert.Equal(version, world.Entry("b")!.Version);
    }

    [Fact]
    public void Another_parallelism_leaves_the_nodes_of_pods_alone()
    {
        var world = new World().WithNodes("a", "b");
        var job = world.CreateJob("job", ByPods);
        world.Board.OnPodNode(job.Metadata.Uid!, "b", true, world.Now);
        world.Board.OnPodsListed(job.Metadata.Uid!);
        world.Settle();
        var version = world.Entry("b")!.Version;
        world.EditJob("job", spec => spec with { Parallelism = 2 });
        world.SetNode("b", true, new() { ["zone"] = "x" });
        world.Settle();
        Assert.Equal(version, world.Entry("b")!.Version);
        world.Board.OnPodNode(job.Metadata.Uid!, "a", true, world.Now);
        world.Settle();
        Assert.Equal(["a", "b"], world.NodesWith());
    }
}
