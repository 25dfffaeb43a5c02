using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>Layers that come slowly, in parts, or wrong (contract 2.8, 5.3, 5.10).</summary>
public sealed class BlobFaultScenarios(SharedCluster shared) : FaultScenario(shared)
{
    [Fact]
    public async Task Layers_that_crawl_for_a_while()
    {
        var image = await PushBigAsync("fault-crawls");
        Break(image, new Fault(BytesPerSecond: 100));
        var job = await JobAsync("fault-crawls", Spec(image));
        await HeldUpAsync(image, "Timeout");
        Assert.Contains("1024 bytes/s", (await EntryStatusAsync(Nodes[0], image))!.Text("message"), StringComparison.Ordinal);
        Proxy.Heal(image.Repository);
        await CompletesAsync(job, image, withinSeconds: 60);
    }

    [Fact]
    public async Task Layers_that_never_do_more_than_crawl()
    {
        var image = await PushBigAsync("fault-crawl");
        Break(image, new Fault(BytesPerSecond: 100));
        await FailsAsync(await JobAsync("fault-crawl", Spec(image, backoffLimit: 0)), image, "Timeout", withinSeconds: 60);
    }

    /// <summary>Nobody heals it: the stall watch ends the attempt, and the next one asks for less than what stalls.</summary>
    [Fact]
    public async Task Layers_that_stop_in_the_middle()
    {
        var image = await PushBigAsync("fault-stalls");
        Break(image, new Fault { StallAfter = Part });
        await CompletesAsync(await JobAsync("fault-stalls", Spec(image)), image, withinSeconds: 90);
    }

    /// <summary>Nobody heals it: without what the first attempt brought, no further one would come to an end.</summary>
    [Fact]
    public async Task Connections_that_are_reset_in_the_middle()
    {
        var image = await PushBigAsync("fault-reset");
        Break(image, new Fault { ResetAfter = Part });
        await CompletesAsync(await JobAsync("fault-reset", Spec(image)), image, withinSeconds: 60);
    }

    [Fact]
    public async Task Connections_that_are_reset_again_and_again()
    {
        var image = await PushBigAsync("fault-resets");
        Break(image, new Fault { ResetAfter = 0 });
        await FailsAsync(await JobAsync("fault-resets", Spec(image, backoffLimit: 2)), image, "RegistryUnavailable", withinSeconds: 60);
    }

    [Fact]
    public async Task Layers_that_arrive_damaged_once()
    {
        var image = await PushBigAsync("fault-damaged");
        Break(image, new Fault { Corruptions = 5 });
        await CompletesAsync(await JobAsync("fault-damaged", Spec(image, backoffLimit: 3)), image, withinSeconds: 60);
    }

    [Fact]
    public async Task Layers_that_always_arrive_damaged()
    {
        var image = await PushBigAsync("fault-damage");
        Break(image, new Fault { Corruptions = int.MaxValue });
        var said = await FailsAsync(await JobAsync("fault-damage", Spec(image, backoffLimit: 2)), image, "Unknown", withinSeconds: 60);
        Assert.Contains("damaged", said, StringComparison.Ordinal);
    }
}
